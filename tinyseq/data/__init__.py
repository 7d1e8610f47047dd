"""Text in, integer windows out: reading, vocabulary, split and streams."""

from tinyseq.data.batch import Batch
from tinyseq.data.loader import DataLoader
from tinyseq.data.streams import Streams
from tinyseq.data.text import DataError, default_text, read_text, split_text
from tinyseq.data.vocabulary import CharVocabulary
from tinyseq.data.windows import Windows

__all__ = [
    "Batch",
    "CharVocabulary",
    "DataError",
    "DataLoader",
    "Streams",
    "Windows",
    "default_text",
    "read_text",
    "split_text",
]
