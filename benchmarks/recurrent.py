"""python -m benchmarks.recurrent: the recurrent layers' targets, each with what was measured."""

from __future__ import annotations

import sys

from benchmarks.command import main
from benchmarks.recurrent_bench import RecurrentBench
from benchmarks.recurrent_sections import SECTIONS
from benchmarks.report import PEERS

if __name__ == "__main__":
    sys.exit(
        main(
            "benchmarks.recurrent",
            "Measure RNN, LSTM and GRU, and tell what of their targets holds.",
            PEERS,
            "a layer of G gates counts for 2 G T B H (D + H), training for three times that\n"
            "the best of the rounds; xN: tinyseq takes 1 / N of that time",
            RecurrentBench,
            SECTIONS,
        )
    )
