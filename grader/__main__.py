"""`python -m grader` is the command `grader`."""

from grader.cli import main

if __name__ == "__main__":  # not where `grader watch` starts its other process
    main()
