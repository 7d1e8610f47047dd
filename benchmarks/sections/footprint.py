"""Start-up and footprint: what a framework costs before it does anything, and to have at all."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import tinyseq as ts
from benchmarks.harness import Outcome
from benchmarks.names import PEERS
from benchmarks.records import Row, Spread
from benchmarks.run import Run, fill
from benchmarks.sections.models import LSTM

MODULES = {"c": "tinyseq", **{peer: peer for peer in PEERS}}
STEPPED = ("c", "torch", "jax", "tensorflow")  # those that the model is written in
ROOT = Path(__file__).parents[2]

PINNED = "import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-{threads}:])\n"
STEP = """
from benchmarks.systems.charlm_{module} import step_of
from benchmarks.cases.charlm import CharLMCase
step_of(CharLMCase({shape}))()
"""


def footprint(run: Run) -> Iterator[Row]:
    """Start-up and footprint."""
    if not run.first:
        return
    systems = {name: MODULES[name] for name in ("c", *run.peers)}
    imports = {name: f"import {module}" for name, module in systems.items()}
    imports["import numpy"] = "import numpy"  # a part of each
    steps = {
        name: STEP.format(module=module, shape=LSTM)
        for name, module in systems.items() if name in STEPPED
    }  # fmt: skip
    for name, programs in (
        ("from python to the end of the import", imports),
        ("from python to the first trained step of an lstm model", steps),
    ):
        hurried = run.quick and programs is steps  # TensorFlow alone needs ten seconds
        if run.wants("footprint", name) and not hurried:
            yield processes(run, Row("footprint", name), programs)
    name = "installed, what it requires included"
    if run.wants("footprint", name):
        sizes = {system: installed_size(module) for system, module in systems.items()}
        yield sized(Row("footprint", name, unit="B"), sizes)
    name = "wheel"
    if run.wants("footprint", name):
        yield sized(Row("footprint", name, unit="B"), {"c": wheel_size()})


def processes(run: Run, row: Row, programs: dict[str, str]) -> Row:
    """The time of whole processes, in turn."""
    outcome = Outcome({name: [] for name in programs})
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(run.threads))}
    pinned = PINNED.format(threads=run.threads) if hasattr(os, "sched_setaffinity") else ""
    for turn in range(1 if run.quick else 3):
        for name, program in programs.items():
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", pinned + program],
                cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if turn or run.quick:  # the first reads the files from the disk
                outcome.seconds[name].append(time.perf_counter() - begin)
    fill(row, outcome)
    return row


def sized(row: Row, sizes: dict[str, int]) -> Row:
    """A row of bytes."""
    row.best, row.median = {**sizes}, {**sizes}
    for name, size in sizes.items():
        if name != "c":
            row.ratios[name] = Spread(*[size / sizes["c"]] * 3)
    return row


def installed_size(name: str) -> int:
    """Bytes of a distribution's files and of all that it requires."""
    seen: set[str] = set()
    waiting, total = [name], 0
    while waiting:
        one = waiting.pop()
        try:
            found = distribution(one)
        except PackageNotFoundError:  # for another system or Python
            continue
        if found.name in seen:
            continue
        seen.add(found.name)
        if found.name == "tinyseq":  # possibly installed as a link to the checkout
            total += sum(path.stat().st_size for path in package())
        else:
            paths = [Path(str(file.locate())) for file in found.files or ()]
            total += sum(path.stat().st_size for path in paths if path.is_file())
        needed = [text for text in found.requires or () if "extra ==" not in text]
        waiting += map(bare, needed)
    return total


def bare(requirement: str) -> str:
    """A requirement's name without its version."""
    return requirement[: next((i for i, c in enumerate(requirement) if c in " ;<>=!~[("), None)]


def package() -> list[Path]:
    """The files of tinyseq itself."""
    folder = Path(ts.__file__).parent
    return [
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]


def wheel_size() -> int:
    """Bytes of the package's files packed as a wheel packs them; less a little metadata."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in package():
            archive.write(path, path.relative_to(Path(ts.__file__).parents[1]))
    return len(packed.getvalue())
