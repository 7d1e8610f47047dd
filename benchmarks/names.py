"""How systems are called, and the tasks' own names for what is compared with itself."""

from __future__ import annotations

PEERS = ("torch", "jax", "tensorflow", "tinygrad", "autograd")
NAMES = {
    "c": "tinyseq",
    "numpy": "NumPy fallback",
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "tinygrad": "tinygrad",
    "autograd": "HIPS autograd",
    "plain": "plain layer",
    "full": "full attention",
    "import numpy": "numpy alone",
    "one": "one thread",
    "bare": "bare steps",
}
