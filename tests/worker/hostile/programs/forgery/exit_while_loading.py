"""Ends its process before there is a function to call.

Outcome: ended the submission ran: exit status 0
"""

import os

os._exit(0)
