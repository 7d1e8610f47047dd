"""Whole models: language models, encoder-decoders, and the n-gram model to measure against."""

from tinyseq.models.charlm import CharLM, State, detached
from tinyseq.models.gpt import GPT, gpt2_state
from tinyseq.models.ngram import NGram
from tinyseq.models.recurrent_seq2seq import RecurrentSeq2Seq
from tinyseq.models.storage import (
    LanguageModel,
    language_model_configuration,
    load_language_model,
    save_language_model,
)
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
    "language_model_configuration",
    "load_language_model",
    "save_language_model",
]
