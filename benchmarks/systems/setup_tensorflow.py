"""TensorFlow, made ready in its process."""

from __future__ import annotations

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before the import, which is what talks
import tensorflow as tf


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return f"TensorFlow {tf.__version__}"
