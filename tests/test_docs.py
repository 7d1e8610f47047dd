"""The guides keep their word: each experiment runs and prints what is shown below it."""

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
PAGES = sorted((ROOT / "docs").glob("*.md"))
# The page of figures is written by the benchmark itself.
GUIDES = {path.stem: path.read_text("utf-8") for path in PAGES if path.stem != "benchmarks"}
EXPERIMENTS = [
    pytest.param(*experiment, id=f"{name} {number}")
    for name, guide in GUIDES.items()
    for number, experiment in enumerate(
        re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", guide, re.DOTALL)
    )
]


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


@pytest.mark.parametrize(("program", "shown"), EXPERIMENTS)
def test_an_experiment_prints_what_is_shown(program, shown, registry, tmp_path):
    file = tmp_path / "experiment.py"  # where anomaly mode looks for the text of a line
    file.write_text(program)
    assert run(program, str(file)) == shown


def test_every_program_has_its_output():
    programs = {name: guide.count("```python") for name, guide in GUIDES.items()}
    assert len(EXPERIMENTS) == sum(programs.values())
    assert programs["autograd"] > 10 and programs["recurrent"] > 3 and programs["transformer"] > 3


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_the_files_it_names_are_there(guide):
    named = re.findall(r"`((?:tinyseq|csrc|tests|docs)/[\w./]*)`", guide)
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
