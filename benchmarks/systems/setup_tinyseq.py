"""tinyseq, made ready in its process."""

from __future__ import annotations

import tinyseq as ts


def setup(backend: str, threads: int) -> str:
    """Once per process; returns what the header says."""
    ts.backend.use(backend)
    ts.set_num_threads(threads)
    return f"tinyseq {ts.__version__}, {ts.backend.info()['isa']}"
