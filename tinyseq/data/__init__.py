"""Text in, integer windows out: reading, tokenizers, padding, split and streams."""

from tinyseq.data.batch import Batch
from tinyseq.data.bytes import ByteTokenizer
from tinyseq.data.chars import CharTokenizer
from tinyseq.data.loader import DataLoader
from tinyseq.data.padding import pad_sequences
from tinyseq.data.prepare import prepare
from tinyseq.data.streams import Streams
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
    "Streams",
    "TokenFile",
    "Tokenizer",
    "Windows",
    "WordTokenizer",
    "default_text",
    "is_token_file",
    "load_tokenizer",
    "pad_sequences",
    "prepare",
    "read_pieces",
    "read_text",
    "split_text",
    "tokenizer_from_json",
    "write_tokens",
]
