"""Writes one large file.

Outcome: raised OSError
"""


def answer(x):
    with open("/tmp/large", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
