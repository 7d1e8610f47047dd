"""Whole models: the character language models and the n-gram model they are measured against."""

from tinyseq.models.charlm import CharLM, State, detached
from tinyseq.models.gpt import GPT, gpt2_state
from tinyseq.models.ngram import NGram
from tinyseq.models.recurrent_seq2seq import RecurrentSeq2Seq
from tinyseq.models.storage import LanguageModel, load_charlm, save_charlm
from tinyseq.models.transformer_seq2seq import TransformerSeq2Seq

__all__ = [
    "GPT",
    "CharLM",
    "LanguageModel",
    "NGram",
    "RecurrentSeq2Seq",
    "State",
    "TransformerSeq2Seq",
    "detached",
    "gpt2_state",
    "load_charlm",
    "save_charlm",
]
