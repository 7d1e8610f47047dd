"""The house: a file imports only from its own floor and those below."""

import ast
from pathlib import Path

import pytest

import tinyseq

ROOT = Path(tinyseq.__file__).parent
FLOORS = {
    **{"backend": 1, "contexts": 0, "holder": 1, "autograd": 2, "ops": 3, "nn": 4},
    **dict.fromkeys(["anomaly", "hooks", "ownership"], 2),  # the engine's instruments
    **dict.fromkeys(["optim", "data", "models", "saving", "training", "generation"], 5),
    **dict.fromkeys(["reading", "settings", "atomic", "language", "metrics", "summarizing"], 5),
    **dict.fromkeys(["transforms", "checkpointing", "drawing", "tree"], 5),
    **dict.fromkeys(["cli", "__main__", "testing", "huggingface"], 6),
    # What layers are initialised with, and what dropout draws from, has no layer in it.
    **dict.fromkeys(["init", "random"], 3),
}
FILES = sorted(ROOT.rglob("*.py"))


def floor(module):
    return FLOORS[module.split(".")[1]]


def imports(tree, package):
    """The full names of all modules imported, but for those meant for type checkers alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == package else [node.module, *names]


def module_of(path):
    parts = ("tinyseq", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    module = module_of(path)
    if module == "tinyseq":
        return  # the face shows every floor
    for name in imports(ast.parse(path.read_text()), "tinyseq"):
        parts = name.split(".")
        if parts[0] != "tinyseq" or len(parts) < 2:
            continue
        if parts[1] == "_csrc":
            assert module == "tinyseq.backend.c_arrays"
        elif parts[1] in FLOORS:
            assert floor(name) <= floor(module), f"{module} imports {name}"
        if name.startswith(("tinyseq.backend.c_", "tinyseq.backend.numpy_")):
            assert module.startswith("tinyseq.backend")  # all others go through the seam


def test_every_module_has_a_floor():
    for path in FILES:
        if module_of(path) != "tinyseq":
            floor(module_of(path))
