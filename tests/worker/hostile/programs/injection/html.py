"""Writes a script into the report.

Outcome: raised ValueError
"""


def answer(x):
    raise ValueError("</pre><script>alert(1)</script><img src=x onerror=alert(1)>")
