"""`make demo`: grades the class in examples/class in sandboxed workers, and shows one student's feedback.

python examples/demo.py [OUT]
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLASS = ROOT / "examples" / "class"


def grader(*arguments: str) -> int:
    """Runs the command line as an instructor would, in the repository's root."""
    command = [sys.executable, "-m", "grader", *arguments]
    print(f"\n$ grader {' '.join(arguments)}\n", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Exit code 0 if the class was graded and the failing student was told so."""
    out = sys.argv[1] if len(sys.argv) > 1 else "demo-out"
    graded = grader("grade", "examples/class", "--out", out)
    told = grader("check", "examples/class/dorothy/04_normalization/normalization.py")
    return 0 if (graded, told) == (0, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
