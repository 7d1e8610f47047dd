"""The targets of attention and of the models made of it."""

from __future__ import annotations

from benchmarks.attention_cases import AttentionCase
from benchmarks.report import PERCENT, Target, share

LONG = 512  # attention longer than this has another target
FROM_PEAK = 1024  # and from this on one for its share of the peak


def targets() -> dict[str, Target]:
    """All of them, with nothing measured yet."""
    found: dict[str, Target] = {}
    for asked, word in (("forward", "forward"), ("train", "training")):
        for reach, at_least in ((f"T <= {LONG}", 2.0), (f"T > {LONG}", 1.3)):
            found[f"torch {asked} {reach}"] = Target(
                f"attention against PyTorch, {word}, {reach}", at_least=at_least
            )
            found[f"torch {asked} {reach} other"] = Target(
                f"  masks, heads, windows, lengths, {reach}", at_least=at_least
            )
        found[f"peak {asked}"] = share(f"attention, {word}, T >= {FROM_PEAK}, of the peak", 0.7)
    return found | {
        "jax": Target("attention against JAX", at_least=1.0),
        "skip": Target("time over its share of the pairs of full", at_most=1.5),
        "layers": Target("norms, GELU, losses, dropout, the best peer", at_least=1.0),
        "step": Target("a GPT's step against PyTorch", at_least=1.4),
        "step peak": share("the larger GPT's step, of the peak", 0.8),
        "token": Target("a token of the larger GPT against PyTorch", at_least=3.0),
        "memory": Target("memory of a GPT's step, of PyTorch's", at_most=1.0, form=PERCENT),
        "growth": Target("memory, T=16384 over T=4096 (linear: 4)", at_most=4.4),
        "threads": Target("two threads against one"),
    }


def attention_keys(case: AttentionCase) -> dict[str, list[str]]:
    """The targets that a case of attention belongs to, for "peak" and each peer."""
    T = case.shape[2]
    reach = f"T <= {LONG}" if T <= LONG else f"T > {LONG}"
    other = "" if case.variant == "causal" else " other"
    keys = {"torch": [f"torch {case.asked} {reach}{other}"], "jax": ["jax"], "peak": []}
    if T >= FROM_PEAK and not other:
        keys["peak"] = [f"peak {case.asked}"]
    return keys
