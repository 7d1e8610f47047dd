"""A language model as a file, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyseq.data import Tokenizer, tokenizer_from_json
from tinyseq.models.charlm import RECURRENT, CharLM
from tinyseq.models.gpt import GPT
from tinyseq.nn.layers import check_sizes
from tinyseq.saving import CheckpointError, load_checkpoint, save_checkpoint

LanguageModel = CharLM | GPT

_FORMAT = "tinyseq.model.1"
_KIND = "language model"
_LONGEST = 1 << 31  # of windows


def language_model_configuration(
    model: LanguageModel, tokenizer: Tokenizer, **about: Any
) -> dict[str, Any]:
    """What a checkpoint says of a language model beside its arrays, as JSON can hold it.

    Args:
        model: its kind and sizes are told.
        tokenizer: told whole.
        about: anything else worth keeping.
    """
    return {
        "kind": _KIND,
        "model": {"model": "transformer"} | model.configuration,  # a CharLM has its own kind
        "tokenizer": tokenizer.to_json(),
        **about,
    }


def save_language_model(
    path: str | os.PathLike[str], model: LanguageModel, tokenizer: Tokenizer, **about: Any
) -> None:
    """Write model and tokenizer to one file, atomically.

    Args:
        path: where to.
        model: its weights and sizes are written.
        tokenizer: what its tokens are of.
        about: anything else worth keeping, as JSON.

    Raises CheckpointError when the file cannot be written; the old one then still stands.
    """
    configuration = language_model_configuration(model, tokenizer, **about)
    arrays = {name: tensor.data for name, tensor in model.state_dict().items()}
    save_checkpoint(path, arrays, {"format": _FORMAT, "configuration": configuration})


def load_language_model(
    path: str | os.PathLike[str],
) -> tuple[LanguageModel, Tokenizer, dict[str, Any]]:
    """Read the language model in a file of `save_language_model` or a checkpoint of its training.

    Returns the model, in evaluation mode, its tokenizer, and all that the file says of them.

    Raises CheckpointError when the file cannot be read, is damaged, holds something else, or its
    weights do not fit its own description.
    """
    name = os.fspath(path)
    arrays, description = load_checkpoint(path)
    told = description.get("configuration")
    if not isinstance(told, dict) or told.get("kind") != _KIND:
        raise CheckpointError(f"{name}: holds no {_KIND}")
    arrays = {key: array for key, array in arrays.items() if "/" not in key}  # the model's own
    try:
        sizes, tokenizer = dict(told["model"]), tokenizer_from_json(told["tokenizer"])
        if len(tokenizer) != sizes["vocab_size"]:
            raise ValueError(f"{len(tokenizer)} tokens for a model of {sizes['vocab_size']}")
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
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{name}: is damaged: {reason}") from None
    return model.eval(), tokenizer, told


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
    if sizes["window"] >= _LONGEST:
        raise ValueError(f"window must be below {_LONGEST}, got {sizes['window']}")
    rows = width + 2 * heads * (width // sizes["n_head"])
    outline = {"transformer.wte.weight": (sizes["vocab_size"], width)}
    if sizes["positions"] == "learned":
        outline["transformer.wpe.weight"] = (sizes["block_size"], width)
    for i in range(sizes["n_layer"]):
        outline[f"transformer.h.{i}.attn.c_attn.weight"] = (rows, width)
        outline[f"transformer.h.{i}.mlp.c_fc.weight"] = (4 * width, width)
    return outline
