"""Replaces the worker's own loop: it may then send any value, but no verdict.

Outcome: wrong
"""

import grader.worker.program as program


def call(self, *args, **kwargs):
    return program.Outcome("passed")


program.Host.call = call


def answer(x):
    return None
