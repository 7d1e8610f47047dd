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

Array = NDArray[Any]
_KEY = "tinyseq"  # the header's one entry; its value is the description as JSON


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or written; the message is one line for the user."""


def save_checkpoint(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], description: Mapping[str, Any]
) -> None:
    """Write a checkpoint so that a crash at any point leaves the old one or the new one, whole.

    The bytes go to a temporary file in the same folder, to the disk, and then to the path by one
    rename. The same arrays and description give the same bytes.

    Args:
        path: where to; a file already there is replaced.
        arrays: name -> array.
        description: what JSON can hold.

    Raises CheckpointError when the folder does not exist or cannot be written to, TypeError when
    the description is not JSON.
    """
    from safetensors.numpy import save

    name = os.fspath(path)
    header = {_KEY: json.dumps(description, sort_keys=True, ensure_ascii=True)}
    raw = save({key: np.ascontiguousarray(array) for key, array in arrays.items()}, header)
    target, temporary = _places(name)
    with _reported(name):
        try:
            with open(temporary, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:  # Ctrl-C too: never leave the half-written file behind
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out now, not after an hour of training, that a checkpoint could not be written there.

    Raises CheckpointError when the path is a directory or a device, or its folder is missing or not
    writable.
    """
    name = os.fspath(path)
    _, temporary = _places(name)
    with _reported(name):
        with open(temporary, "wb"):
            pass
        os.unlink(temporary)


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what `save_checkpoint` wrote: name -> array, and the description.

    Raises CheckpointError when the file is missing, cannot be read, is cut short, is no safetensors
    file, or has no tinyseq description.
    """
    from safetensors import SafetensorError, safe_open

    name = os.fspath(path)
    try:
        with open(name, "rb"):  # the operating system's own reason, before safetensors' guess
            pass
    except FileNotFoundError:
        raise CheckpointError(f"{name}: no such checkpoint ('tinyseq train' writes one)") from None
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from None
    try:
        with safe_open(name, framework="numpy") as file:
            description = json.loads((file.metadata() or {})[_KEY])
            arrays = {key: file.get_tensor(key) for key in file.keys()}
    except KeyError:
        raise CheckpointError(f"{name}: is a safetensors file, but not one of tinyseq's") from None
    # RecursionError: brackets a hundred thousand deep; AttributeError: a dtype that NumPy lacks.
    except (
        SafetensorError,
        OSError,
        TypeError,
        ValueError,
        RecursionError,
        AttributeError,
    ) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{name}: is damaged or not a checkpoint ({reason})") from None
    if not isinstance(description, dict):
        raise CheckpointError(f"{name}: is damaged: its description is not a JSON object")
    return arrays, description


def _places(name: str) -> tuple[str, str]:
    """The file behind a path, and where to write before it takes that file's place."""
    target = os.path.realpath(name)  # a link stays a link, and what it points to is replaced
    if name.endswith(os.sep) or (os.path.exists(target) and not os.path.isfile(target)):
        raise CheckpointError(f"{name}: cannot write the checkpoint: is not a regular file")
    return target, f"{target}.{os.getpid()}.tmp"  # beside it: a rename stays on one file system


@contextlib.contextmanager
def _reported(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CheckpointError(f"{name}: cannot write the checkpoint: {reason}") from None
