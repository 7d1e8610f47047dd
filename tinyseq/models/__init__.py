"""Whole models: the character language model and the n-gram model it is measured against."""

from tinyseq.models.charlm import CharLM, State, detached
from tinyseq.models.ngram import NGram
from tinyseq.models.storage import load_charlm, save_charlm

__all__ = ["CharLM", "NGram", "State", "detached", "load_charlm", "save_charlm"]
