"""A Jupyter server of one's own and the system's Chromium, for tests of what people see in a browser."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOKEN = "a-token-of-the-test"


@contextlib.contextmanager
def jupyter(folder, module, *options, environment=None):
    """The address of a server on a free port, until the block ends.

    Args:
        folder: what it serves.
        module: the program: jupyter_server or jupyterlab.
        options: of its command line.
        environment: of the process; this one's unless given.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, "--no-browser", f"--port={port}", "--ip=127.0.0.1",
               f"--IdentityProvider.token={TOKEN}", "--allow-root", f"--ServerApp.root_dir={folder}", *options]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5)
                break
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < until, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def chromium(playwright):
    """A headless browser: the system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "Chromium is not installed: make setup, or apt-get install chromium"
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    try:
        yield browser
    finally:
        browser.close()
