#!/usr/bin/env bash
# Runs once, as root, while Gradescope builds the image: installs Python 3.11 or newer, the sandbox and the engine's needs.
set -euo pipefail

root=${AUTOGRADER_ROOT:-/autograder}
export DEBIAN_FRONTEND=noninteractive

apt-get update
apt-get install -y --no-install-recommends bubblewrap util-linux python3 python3-venv

python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    # Ubuntu 22.04: its own Python is 3.10
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    python=python3.11
fi

"$python" -m venv "$root/venv"
"$root/venv/bin/python" -m pip install --quiet --no-cache-dir --requirement "$root/source/requirements.txt"

# Without bubblewrap the worker runs as an ordinary user, who must reach the interpreter.
chmod a+rx "$root"
