"""A character language model as a file, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyseq.data import CharTokenizer
from tinyseq.models.charlm import RECURRENT, CharLM
from tinyseq.models.gpt import GPT
from tinyseq.nn.layers import check_sizes
from tinyseq.saving import CheckpointError, load_checkpoint, save_checkpoint

LanguageModel = CharLM | GPT

_FORMAT = "tinyseq.charlm.1"


def save_charlm(
    path: str | os.PathLike[str],
    model: LanguageModel,
    tokenizer: CharTokenizer,
    about: Mapping[str, Any],
) -> None:
    """Write model and tokenizer to one file, atomically.

    Args:
        path: where to.
        model: its weights and sizes are written.
        tokenizer: its characters are written.
        about: anything else worth keeping, as JSON.

    Raises CheckpointError when the file cannot be written; the old one then still stands.
    """
    description = {
        "format": _FORMAT,
        "model": {"model": "transformer"} | model.configuration,  # a CharLM has its own kind
        "characters": tokenizer.characters,
        "about": dict(about),
    }
    arrays = {name: tensor.data for name, tensor in model.state_dict().items()}
    save_checkpoint(path, arrays, description)


def load_charlm(
    path: str | os.PathLike[str],
) -> tuple[LanguageModel, CharTokenizer, dict[str, Any]]:
    """Read what `save_charlm` wrote: the model, in evaluation mode, its tokenizer, and ``about``.

    Raises CheckpointError when the file cannot be read, is damaged, holds something else, or its
    weights do not fit its own description.
    """
    name = os.fspath(path)
    arrays, description = load_checkpoint(path)
    if description.get("format") != _FORMAT:
        raise CheckpointError(
            f"{name}: holds {description.get('format')!r}, expected {_FORMAT!r}, "
            "a character language model"
        )
    try:
        sizes, characters = dict(description["model"]), description["characters"]
        tokenizer = CharTokenizer(characters)
        if tokenizer.characters != characters or len(tokenizer) != sizes["vocab_size"]:
            raise ValueError("its vocabulary and its size differ")
        # A description from a stranger may ask for any amount of memory: before anything that size
        # is made, the file must really hold arrays that large, and that many.
        transformer = sizes["model"] == "transformer"
        layers = sizes["n_layer" if transformer else "layers"]
        if layers > len(arrays):
            raise ValueError(f"{layers} layers in {len(arrays)} arrays")
        outline = _transformer_outline(sizes) if transformer else _recurrent_outline(sizes)
        for key, shape in outline.items():
            found = arrays[key].shape if key in arrays else "nothing"
            if found != shape:
                raise ValueError(f"{key} must be {shape}, got {found}")
        for key, array in arrays.items():
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(f"{key} must be float32 and finite")
        model = _transformer(**sizes) if transformer else CharLM(**sizes)
        model.load_state_dict(arrays)
        about = dict(description["about"])
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{name}: is damaged: {reason}") from None
    return model.eval(), tokenizer, about


def _transformer(model: str, **sizes: Any) -> GPT:
    return GPT(**sizes)


def _recurrent_outline(sizes: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Shapes that fix every size a CharLM is made with."""
    vocab_size, embed, hidden = sizes["vocab_size"], sizes["embed"], sizes["hidden"]
    rows = RECURRENT[sizes["model"]].gates * hidden
    return {
        "embedding.weight": (vocab_size, embed),
        "recurrent.weight_hh_l0": (rows, hidden),
        f"recurrent.weight_hh_l{sizes['layers'] - 1}": (rows, hidden),
    }


def _transformer_outline(sizes: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Shapes that fix every size a GPT is made with."""
    width = sizes["n_embd"]
    heads = sizes["n_head"] if sizes["n_kv_head"] is None else sizes["n_kv_head"]
    # A text or a list times a size would be made, however long.
    check_sizes("GPT", n_embd=width, n_head=sizes["n_head"], n_kv_head=heads)
    rows = width + 2 * heads * (width // sizes["n_head"])
    outline = {"transformer.wte.weight": (sizes["vocab_size"], width)}
    if sizes["positions"] == "learned":
        outline["transformer.wpe.weight"] = (sizes["block_size"], width)
    for i in range(sizes["n_layer"]):
        outline[f"transformer.h.{i}.attn.c_attn.weight"] = (rows, width)
        outline[f"transformer.h.{i}.mlp.c_fc.weight"] = (4 * width, width)
    return outline
