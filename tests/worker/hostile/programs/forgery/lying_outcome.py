"""Says that arguments changed which were never passed.

Outcome: unread
"""

import grader.worker.program as program


def call(self, *args, **kwargs):
    return program.Outcome(None, modified=(99, "points"))


program.Host.call = call


def answer(x):
    return None
