"""Checkpoints: one safetensors file, its JSON description in the same file's header.

One file, so one rename makes a new checkpoint take the place of the old: at every moment the path
holds one whole checkpoint, the old or the new. Nothing in it is ever executed or unpickled.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.atomic import check_replaceable, replacing

Array = NDArray[Any]
_KEY = "tinyseq"  # the header's one entry; its value is the description as JSON


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or written; the message is one line for the user."""


def save_checkpoint(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], description: Mapping[str, Any]
) -> None:
    """Write a checkpoint so that a crash at any point leaves the old one or the new one, whole.

    See `replacing` for how. The same arrays and description give the same bytes.

    Args:
        path: where to; a file already there is replaced.
        arrays: name -> array.
        description: what JSON can hold.

    Raises CheckpointError when the folder does not exist or cannot be written to, TypeError when
    the description is not JSON.
    """
    _write(path, arrays, {_KEY: json.dumps(description, sort_keys=True, ensure_ascii=True)})


def save_weights(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write a `state_dict` as a plain safetensors file, which PyTorch's users can read as well.

    Args:
        path: where to; a file already there is replaced, as `save_checkpoint` does it.
        state: dotted name -> Tensor or array.

    Raises CheckpointError when the folder does not exist or cannot be written to.
    """
    _write(path, {name: np.asarray(getattr(value, "data", value)) for name, value in state.items()})


def load_weights(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read any safetensors file, as PyTorch's users write them: what `load_state_dict` takes.

    Numbers of 16 bits that NumPy does not have (bfloat16) come as float32, which holds them all.

    Raises CheckpointError when the file is missing, cannot be read, is damaged or has a number
    format that is not known here.
    """
    from safetensors import deserialize

    name = os.fspath(path)
    with _damage_told(name):
        with open(name, "rb") as file:
            found = deserialize(file.read())  # type: ignore[no-untyped-call]
        return {key: _array(key, **about) for key, about in found}


_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1",
}  # fmt: skip


def _array(name: str, shape: list[int], dtype: str, data: bytes) -> Array:
    if dtype not in _DTYPES:
        raise ValueError(f"{name} has numbers of the unknown kind {dtype}")
    array: Array = np.frombuffer(bytearray(data), _DTYPES[dtype]).reshape(shape)
    # A bfloat16 is the upper half of a float32.
    return (array.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else array


def _write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Array],
    header: dict[str, str] | None = None,
) -> None:
    from safetensors.numpy import save

    raw = save({key: np.ascontiguousarray(array) for key, array in arrays.items()}, header)
    with _reported(path), replacing(path) as file:
        file.write(raw)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out now, not after an hour of training, that a checkpoint could not be written there.

    Raises CheckpointError when the path is a directory or a device, or its folder is missing or not
    writable.
    """
    with _reported(path):
        check_replaceable(path)


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what `save_checkpoint` wrote: name -> array, and the description.

    Raises CheckpointError when the file is missing, cannot be read, is cut short, is no safetensors
    file, or has no tinyseq description.
    """
    from safetensors import safe_open

    name = os.fspath(path)
    with _damage_told(name):
        with open(name, "rb"):  # the operating system's own reason, before safetensors' guess
            pass
        with safe_open(name, framework="numpy") as file:
            header = file.metadata() or {}
            if _KEY not in header:
                raise CheckpointError(f"{name}: is a safetensors file, but not one of tinyseq's")
            description = json.loads(header[_KEY])
            arrays = {key: file.get_tensor(key) for key in file.keys()}
    if not isinstance(description, dict):
        raise CheckpointError(f"{name}: is damaged: its description is not a JSON object")
    return arrays, description


@contextlib.contextmanager
def _damage_told(name: str) -> Iterator[None]:
    """Whatever reading a stranger's file ends with, as one line."""
    from safetensors import SafetensorError

    try:
        yield
    except CheckpointError:
        raise
    except FileNotFoundError:
        raise CheckpointError(f"{name}: no such checkpoint ('tinyseq train' writes one)") from None
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from None
    # RecursionError: brackets a hundred thousand deep; AttributeError: a dtype that NumPy lacks.
    except (SafetensorError, TypeError, ValueError, RecursionError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{name}: is damaged or not a checkpoint ({reason})") from None


@contextlib.contextmanager
def _reported(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name, reason = os.fspath(path), error.strerror or str(error)
        raise CheckpointError(f"{name}: cannot write the checkpoint: {reason}") from None
