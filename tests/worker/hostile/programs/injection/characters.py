"""Raises text of lone surrogates, bidirectional marks and zero bytes.

Outcome: raised ValueError
"""


def answer(x):
    raise ValueError("\ud800\udfff\u202e\u2066\u200b\x00\ufeff")
