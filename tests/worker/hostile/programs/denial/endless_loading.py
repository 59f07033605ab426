"""Never finishes loading.

Outcome: timeout
"""

while True:
    pass
