"""The README keeps its word: its program runs and its two commands are what CI runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_program_runs_and_learns():
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    reached, written = done.stdout.splitlines()
    assert reached == "accuracy 1.0"
    assert written == "a dog ran in the park because it had seen a"
    assert len([line for line in program.splitlines() if line]) <= 25


def test_ci_runs_its_two_commands():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    quoted = re.findall(r"^(?:install|test)_command=(.*)$", script, re.MULTILINE)
    assert [line.strip('"') for line in quoted] == commands


def test_the_files_it_names_are_there():
    named = re.findall(r"`((?:tinyseq|csrc|tests)/[\w./]*)`", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_pictures_are_there():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", README)
    assert len(pictures) == 3
    assert [name for name in pictures if not (ROOT / name).exists()] == []
