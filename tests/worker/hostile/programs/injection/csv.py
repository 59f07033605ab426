"""Writes a formula into the table of grades.

Outcome: raised ValueError
"""


def answer(x):
    raise ValueError('=HYPERLINK("http://example.org","20")')
