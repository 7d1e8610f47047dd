"""The sections of `python -m benchmarks`, in the order in which they are measured.

A section is a function of a Run that yields its rows one by one, each as soon as it is measured.
Its name, with spaces, is the section of its rows, and the first line of its docstring is their
title. It leaves out what `run.wants` does not want, makes do with the smallest sizes if
`run.quick`, and does what only the targets ask for if `run.deep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.records import Row
from benchmarks.run import Run
from benchmarks.sections.attention import attention, attention_memory, attention_threads, skip
from benchmarks.sections.footprint import footprint
from benchmarks.sections.growth import growth
from benchmarks.sections.layers import layers
from benchmarks.sections.learning import learning
from benchmarks.sections.limits import limits
from benchmarks.sections.matmul import matmul
from benchmarks.sections.models import loop, models
from benchmarks.sections.overhead import overhead
from benchmarks.sections.recurrent import recurrent, recurrent_threads, variants
from benchmarks.sections.streaming import streaming

Section = Callable[[Run], Iterator[Row]]

SECTIONS: tuple[Section, ...] = (
    matmul, recurrent, variants, recurrent_threads, attention, skip, attention_threads,
    attention_memory, layers,
    models, loop, streaming, overhead, limits, growth, learning, footprint,
)  # fmt: skip
ASIDE = "limits"  # whose rows are nobody's work but explain others, and so count in no mean
TITLES = {
    section.__name__.replace("_", " "): (section.__doc__ or "").partition("\n")[0].rstrip(".")
    for section in SECTIONS
}
