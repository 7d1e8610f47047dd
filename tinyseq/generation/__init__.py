"""Writing with a model: draws and beam search, as a whole or symbol by symbol."""

from tinyseq.generation.text import stream_text
from tinyseq.generation.writing import generate, stream

__all__ = ["generate", "stream", "stream_text"]
