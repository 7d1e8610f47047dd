"""Gradients that a leaf may keep as its own: taken as they are where nobody else holds them.

A leaf's gradient may be changed in place later, by clipping for one, so it must share its array
with nobody. Most arrays that a walk ends with are held by nobody else, and to copy them all would
take a large model some hundredths of its step. Who holds an array Python counts anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import getrefcount
from typing import Any

import numpy as np

from tinyseq.autograd.tensor import Tensor

SMALL = 16384  # elements that are copied in less time than it takes to find out
OWN = 0x501  # bits of ndarray.flags.num: C-contiguous, aligned, writeable


def owned(found: dict[int, tuple[Tensor, Any]], recorded: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Every leaf with its gradient, in an array that it shares with nobody; empties `found`.

    Where the walk was recorded a gradient is part of a graph, and stays as it is.
    """
    if recorded:
        yield from found.values()
        return
    # One array is known to be held by nobody else: how often it is counted tells it of the others.
    arrays: list[tuple[Any, Any]] = [(None, np.empty(2, np.float32)[:1])]
    arrays += [(x, g.data) for x, g in found.values()]
    found.clear()
    alone = 0, 0
    for x, array in arrays:
        if x is None:
            alone = getrefcount(array), getrefcount(array.base)
            continue
        if array.size <= SMALL or array.flags.num & OWN != OWN:
            array = array.copy()
        elif getrefcount(array) > alone[0]:
            array = array.copy()
        elif not array.flags.owndata:
            memory = array.base
            sole = type(memory) is np.ndarray and memory.flags.owndata
            if not sole or getrefcount(array.base) > alone[1] + 1:  # `memory` is one of them
                array = array.copy()
        yield x, Tensor(array)
