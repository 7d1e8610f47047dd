"""A character language model as a file, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyseq.data import CharVocabulary
from tinyseq.models.charlm import RECURRENT, CharLM
from tinyseq.saving import CheckpointError, load_checkpoint, save_checkpoint

_FORMAT = "tinyseq.charlm.1"


def save_charlm(
    path: str | os.PathLike[str],
    model: CharLM,
    vocabulary: CharVocabulary,
    about: Mapping[str, Any],
) -> None:
    """Write model and vocabulary to one file, atomically.

    Args:
        path: where to.
        model: its weights and sizes are written.
        vocabulary: its characters are written.
        about: anything else worth keeping, as JSON.

    Raises CheckpointError when the file cannot be written; the old one then still stands.
    """
    description = {
        "format": _FORMAT,
        "model": model.configuration,
        "characters": vocabulary.characters,
        "about": dict(about),
    }
    arrays = {name: tensor.data for name, tensor in model.state_dict().items()}
    save_checkpoint(path, arrays, description)


def load_charlm(path: str | os.PathLike[str]) -> tuple[CharLM, CharVocabulary, dict[str, Any]]:
    """Read what `save_charlm` wrote: the model, in evaluation mode, its vocabulary, and ``about``.

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
        vocabulary = CharVocabulary(characters)
        if vocabulary.characters != characters or len(vocabulary) != sizes["vocab_size"]:
            raise ValueError("its vocabulary and its size differ")
        # A description from a stranger may ask for any amount of memory: before anything that size
        # is made, the file must really hold arrays that large, and that many.
        if sizes["layers"] > len(arrays):
            raise ValueError(f"{sizes['layers']} layers in {len(arrays)} arrays")
        for key, shape in _outline(sizes).items():
            found = arrays[key].shape if key in arrays else "nothing"
            if found != shape:
                raise ValueError(f"{key} must be {shape}, got {found}")
        for key, array in arrays.items():
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(f"{key} must be float32 and finite")
        model = CharLM(**sizes)
        model.load_state_dict(arrays)
        about = dict(description["about"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{name}: is damaged: {reason}") from None
    return model.eval(), vocabulary, about


def _outline(sizes: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Shapes that fix every size a CharLM is made with."""
    vocab_size, embed, hidden = sizes["vocab_size"], sizes["embed"], sizes["hidden"]
    rows = RECURRENT[sizes["model"]].gates * hidden
    return {
        "embedding.weight": (vocab_size, embed),
        "recurrent.weight_hh_l0": (rows, hidden),
        f"recurrent.weight_hh_l{sizes['layers'] - 1}": (rows, hidden),
    }
