"""Known wrong answers: the bank that proves the checks, and that tells a student which mistake it is."""
