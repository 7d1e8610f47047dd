"""Training: the loop, what goes on beside it, and checkpoints to go on from."""

from tinyseq.reading import held_out_bits
from tinyseq.settings import Settings
from tinyseq.training.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    newest,
)
from tinyseq.training.errors import Diverged, Interrupted
from tinyseq.training.history import History
from tinyseq.training.language import Corpus, Progress, learning_rate, train
from tinyseq.training.loggers import CSVLogger, JSONLinesLogger, TensorBoardLogger
from tinyseq.training.losses import sequence_cross_entropy
from tinyseq.training.trainer import Trainer

__all__ = [
    "CSVLogger",
    "Callback",
    "Corpus",
    "Diverged",
    "EarlyStopping",
    "History",
    "Interrupted",
    "JSONLinesLogger",
    "ModelCheckpoint",
    "Progress",
    "ProgressBar",
    "Settings",
    "TensorBoardLogger",
    "Trainer",
    "held_out_bits",
    "learning_rate",
    "newest",
    "sequence_cross_entropy",
    "train",
]
