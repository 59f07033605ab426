"""Spends its time in one regular expression.

Outcome: timeout
"""

import re


def answer(x):
    return re.match(r"(a+)+$", "a" * 60 + "b")
