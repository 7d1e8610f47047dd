"""Arithmetic without NumPy's warnings.

On floating-point numbers an overflow is an infinity and 0/0 is NaN: an answer like any other,
which here is no reason to warn. `np.errstate` says so too, but costs a microsecond each time, as
much as a small addition. What it sets lives in a context variable; so a context in which it is set
for good is kept at hand, and entering that costs a tenth.
"""

import contextvars
import threading

import numpy as np


class _Quiet(threading.local):
    """One context per thread, for no context can be entered by two at a time."""

    def __init__(self) -> None:
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.run = context.run  # run(function, *arguments); not inside itself


quiet = _Quiet()
