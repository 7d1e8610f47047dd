"""Training: the loop, what goes on beside it, and checkpoints to go on from."""

from tinyseq.training.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    newest,
)
from tinyseq.training.errors import Diverged, Interrupted
from tinyseq.training.history import History
from tinyseq.training.loggers import AppendingLogger, CSVLogger, JSONLinesLogger, TensorBoardLogger
from tinyseq.training.losses import sequence_cross_entropy
from tinyseq.training.trainer import Trainer

__all__ = [
    "AppendingLogger",
    "CSVLogger",
    "Callback",
    "Diverged",
    "EarlyStopping",
    "History",
    "Interrupted",
    "JSONLinesLogger",
    "ModelCheckpoint",
    "ProgressBar",
    "TensorBoardLogger",
    "Trainer",
    "newest",
    "sequence_cross_entropy",
]
