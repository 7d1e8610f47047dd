"""python -m benchmarks.learning: the same model trained here and in PyTorch, on the same batches.

For each seed both start from the same weights and take the same steps, with the command line's
settings; each trains in a process of its own on as many cores as it has threads. The weights that
come out are measured by the same code, on the text's held-out end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import chain, islice, repeat
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import tinyseq as ts
from benchmarks.machine import processor
from benchmarks.names import NAMES as SYSTEMS
from tinyseq import nn, optim
from tinyseq.data import default_text, read_text
from tinyseq.language import Corpus, learning_rate
from tinyseq.models import GPT
from tinyseq.reading import held_out_bits, new_model
from tinyseq.settings import Settings, default_settings

BETAS = (0.9, 0.99)
Step = Callable[[Any, Any, float], float]


def tinyseq_steps(model: GPT, settings: Settings) -> tuple[Step, Callable[[], None]]:
    """What takes a step with a learning rate and returns the loss; what hands over the weights."""
    optimizer = optim.AdamW(model.parameters(), betas=BETAS, weight_decay=settings.weight_decay)

    def step(inputs: Any, targets: Any, lr: float) -> float:
        loss = model.loss(inputs, targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(optimizer.parameters, settings.clip)
        optimizer.lr = lr
        optimizer.step()
        return loss.item()

    return step, lambda: None


def torch_steps(model: GPT, settings: Settings) -> tuple[Step, Callable[[], None]]:
    """The same in PyTorch, from and to the weights of the same model."""
    import torch

    from benchmarks.systems.gpt_torch import turned_from

    torch.manual_seed(settings.seed)
    torch.set_num_threads(ts.get_num_threads())
    other = turned_from(model)
    optimizer = torch.optim.AdamW(
        other.parameters(), betas=BETAS, weight_decay=settings.weight_decay
    )

    def step(inputs: Any, targets: Any, lr: float) -> float:
        loss = other.loss(torch.from_numpy(inputs), torch.from_numpy(targets))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(other.parameters(), settings.clip)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        return float(loss.item())

    def hand_over() -> None:
        model.load_state_dict(other.state_dict())

    return step, hand_over


STEPS = {"c": tinyseq_steps, "torch": torch_steps}


def run(system: str, settings: Settings, text: str) -> dict[str, float]:
    """Train once: held-out bits before and after, the last loss, and the seconds of the steps."""
    corpus = Corpus.from_text(text, settings)
    ts.manual_seed(settings.seed)
    model = new_model(settings, len(corpus.tokenizer))
    assert isinstance(model, GPT)
    assert settings.steps is not None
    epochs = chain.from_iterable(repeat(corpus.batches))
    batches = list(islice(epochs, settings.steps))
    before = held_out_bits(model, corpus.held_out)
    step, hand_over = STEPS[system](model, settings)
    begin = time.perf_counter()
    for number, (inputs, targets, _) in enumerate(batches, start=1):
        loss = step(inputs, targets, learning_rate(settings, number, settings.steps))
    seconds = time.perf_counter() - begin
    hand_over()
    after = held_out_bits(model, corpus.held_out)
    return {"before": before, "bits": after, "loss": loss, "seconds": seconds}


def in_a_process(system: str, seed: int, asked: argparse.Namespace) -> dict[str, float]:
    """`run`, where no other system's threads wait on its cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    options = [f"--{name}={getattr(asked, name)}" for name in (*SIZES, "threads", "steps")]
    if asked.data:
        options.append(f"--data={asked.data}")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.learning", *options, f"--run={system}:{seed}"],
        env={**os.environ, **dict.fromkeys(names, str(asked.threads))},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


SIZES = ("hidden", "heads", "layers", "window", "positions", "batch", "dropout", "lr")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description="Train the command line's transformer and PyTorch's twin, and compare.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    defaults = default_settings("transformer")
    parser.add_argument("--model", choices=["transformer"], default="transformer")
    parser.add_argument("--peers", nargs="*", choices=["torch"], default=["torch"])
    parser.add_argument("--steps", type=int, default=500, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--data", metavar="FILE", help="a text instead of Python's documentation")
    for name in SIZES:
        kind = type(defaults[name])
        parser.add_argument(f"--{name}", type=kind, default=defaults[name], metavar="N")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(asked: argparse.Namespace, seed: int) -> Settings:
    """The command line's settings, changed as asked."""
    changed = {name: getattr(asked, name) for name in (*SIZES, "model", "steps")}
    return Settings(**default_settings("transformer") | changed | {"seed": seed})


def main() -> int:
    """Print a row for each run and the means; 1 if tinyseq's bits are worse beyond the noise."""
    asked = arguments()
    if asked.run:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-asked.threads :])
        ts.set_num_threads(asked.threads)
        system, _, seed = asked.run.partition(":")
        text = read_text(asked.data) if asked.data else default_text()
        print(json.dumps(run(system, chosen(asked, int(seed)), text)))
        return 0
    systems = ["c", *asked.peers]
    isa = ts.backend.info()["isa"] or "NumPy"
    print(f"{processor()}, {isa}, threads: {asked.threads}")
    print(f"{asked.model}, {asked.steps} steps; bits per character of the held-out text")
    print(f"{'seed':<6}{'system':<14}{'bits before':>12}{'bits after':>12}{'seconds':>10}")
    found: dict[str, list[dict[str, float]]] = {system: [] for system in systems}
    for seed in range(asked.seeds):
        for system in systems:
            result = in_a_process(system, seed, asked)
            found[system].append(result)
            print(
                f"{seed:<6}{SYSTEMS[system]:<14}{result['before']:>12.4f}{result['bits']:>12.4f}"
                f"{result['seconds']:>10.1f}",
                flush=True,
            )
    return verdict(found)


def verdict(found: dict[str, list[dict[str, float]]]) -> int:
    """Print the means and how far apart they are; 1 if tinyseq's bits are worse beyond the noise.

    The noise is twice the standard error of the difference between two means over the seeds.
    """
    bits = {system: [r["bits"] for r in results] for system, results in found.items()}
    seconds = {system: mean(r["seconds"] for r in results) for system, results in found.items()}
    worse = False
    for system in found:
        print(
            f"{'mean':<6}{SYSTEMS[system]:<14}{mean(bits[system]):>24.4f}{seconds[system]:>10.1f}"
        )
    for peer in [system for system in found if system != "c"]:
        gap = mean(bits["c"]) - mean(bits[peer])
        spread = [stdev(bits[system]) if len(bits[system]) > 1 else 0.0 for system in ("c", peer)]
        noise = 2 * ((spread[0] ** 2 + spread[1] ** 2) / len(bits["c"])) ** 0.5
        worse = worse or gap > noise
        print(
            f"tinyseq against {SYSTEMS[peer]}: {gap:+.4f} bits (noise {noise:.4f}), "
            f"x{seconds[peer] / seconds['c']:.2f} as fast"
        )
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
