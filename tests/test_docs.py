"""The study guide keeps its word: each experiment runs and prints what is shown below it."""

import ast
import contextlib
import gc
import io
import re
from pathlib import Path

import pytest

import tinyseq
from tinyseq.autograd import REGISTRY

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "autograd.md").read_text(encoding="utf-8")
EXPERIMENTS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def registry():
    """Ops that an experiment defines are forgotten afterwards."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def run(program, name):
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, name, "exec"), {"__name__": "experiment"})
    finally:
        gc.enable()
    return printed.getvalue()


@pytest.mark.parametrize("number", range(len(EXPERIMENTS)))
def test_an_experiment_prints_what_is_shown(number, registry, tmp_path):
    program, shown = EXPERIMENTS[number]
    file = tmp_path / "experiment.py"  # where anomaly mode looks for the text of a line
    file.write_text(program)
    assert run(program, str(file)) == shown


def test_every_program_has_its_output():
    assert len(EXPERIMENTS) == GUIDE.count("```python") > 10


def test_the_files_it_names_are_there():
    named = re.findall(r"`((?:tinyseq|tests|docs)/[\w./]*)`", GUIDE)
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_the_engine_is_short():
    """Lines of code: neither blank, nor comment, nor docstring."""
    lines = 0
    for path in (Path(tinyseq.__file__).parent / "autograd").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        said = set()
        for node in ast.walk(ast.parse(text)):
            documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            if documented and ast.get_docstring(node) is not None:
                said.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        lines += sum(
            bool(line.strip()) and not line.strip().startswith("#") and number not in said
            for number, line in enumerate(text.splitlines(), 1)
        )
    assert lines < 400
