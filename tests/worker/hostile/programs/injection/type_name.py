"""Returns an object of a class named after markup.

Outcome: wrong
"""


def answer(x):
    return type("<script>" * 1000, (), {})()
