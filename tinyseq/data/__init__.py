"""What models read: batches of text, of time series and of small tasks."""

from tinyseq.data.batch import Batch
from tinyseq.data.bytes import ByteTokenizer
from tinyseq.data.chars import CharTokenizer
from tinyseq.data.loader import DataLoader
from tinyseq.data.missing import Imputer
from tinyseq.data.padding import pad_sequences
from tinyseq.data.prepare import prepare
from tinyseq.data.scaling import MinMaxScaler, StandardScaler
from tinyseq.data.series import timeseries_windows
from tinyseq.data.splits import split_series
from tinyseq.data.streams import Streams
from tinyseq.data.tasks import (
    adding_problem,
    copy_memory,
    delayed_parity,
    mackey_glass,
    noisy_sines,
)
from tinyseq.data.text import DataError, default_text, read_pieces, read_text, split_text
from tinyseq.data.token_file import TokenFile, is_token_file, write_tokens
from tinyseq.data.tokenizer import Tokenizer, load_tokenizer, tokenizer_from_json
from tinyseq.data.windows import Windows
from tinyseq.data.words import WordTokenizer

__all__ = [
    "Batch",
    "ByteTokenizer",
    "CharTokenizer",
    "DataError",
    "DataLoader",
    "Imputer",
    "MinMaxScaler",
    "StandardScaler",
    "Streams",
    "TokenFile",
    "Tokenizer",
    "Windows",
    "WordTokenizer",
    "adding_problem",
    "copy_memory",
    "default_text",
    "delayed_parity",
    "is_token_file",
    "load_tokenizer",
    "mackey_glass",
    "noisy_sines",
    "pad_sequences",
    "prepare",
    "read_pieces",
    "read_text",
    "split_series",
    "split_text",
    "timeseries_windows",
    "tokenizer_from_json",
    "write_tokens",
]
