"""JAX, made ready in its process."""

from __future__ import annotations

import os

import jax


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # each result is awaited anyway
    return f"JAX {jax.__version__}"
