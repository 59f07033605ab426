"""Never answers.

Outcome: timeout
"""


def answer(x):
    while True:
        pass
