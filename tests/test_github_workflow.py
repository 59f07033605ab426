"""The workflow of docs/how-to/github-actions.md: its check step runs as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from grader.build import build
from grader.course import load_course

PAGE = Path(__file__).parent.parent / "docs/how-to/github-actions.md"


def test_the_workflow_in_the_docs(small_course, tmp_path):
    """It is YAML with one job; the job's check step is red for the stub and writes what is uploaded, and the summary."""
    workflow = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    (job,) = workflow["jobs"].values()
    (step,) = [step for step in job["steps"] if step.get("name") == "Check"]
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == [
        *("actions/checkout", "actions/setup-python", "actions/upload-artifact"),
    ]
    build(load_course(small_course.root).topics)
    command = tmp_path / "grader"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader "$@"\n')
    command.chmod(0o755)
    summary = tmp_path / "summary.md"
    environment = {
        **os.environ,
        **job["env"],
        "TOPIC": "01_doubling",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=small_course.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    uploaded = small_course.root / job["steps"][-1]["with"]["path"]
    assert json.loads((uploaded / "report.json").read_text())["points"] == 0
    assert 'tests="2" failures="2"' in (uploaded / "junit.xml").read_text()
    assert "### doubling.py: 0 of 3 points" in summary.read_text()
