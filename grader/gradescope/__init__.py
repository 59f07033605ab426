"""Gradescope: an archive that grades one topic there, and the program that runs in its container."""
