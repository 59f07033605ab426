"""Returns a list that holds itself.

Outcome: wrong
"""


def answer(x):
    value = [x]
    value.append(value)
    return value
