"""python -m benchmarks.attention: attention's targets and a GPT's, each with what was measured."""

from __future__ import annotations

import sys

from benchmarks.attention_bench import PEERS, AttentionBench
from benchmarks.attention_sections import SECTIONS
from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(
        main(
            "benchmarks.attention",
            "Measure attention, the layers around it and GPTs, and tell which targets hold.",
            PEERS,
            "attention counts 4 d for each head, query and key seen (the causal square as half),\n"
            "3.5 times that in training; products 2 M N K, in training three times that\n"
            "xN: tinyseq takes 1 / N of that time, by the best of the rounds",
            AttentionBench,
            SECTIONS,
        )
    )
