"""A file that takes another's place whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write, which takes the path's place when the block ends well.

    The bytes go to a temporary file in the same folder, to the disk, and then to the path by one
    rename: a crash at any moment leaves the old file or the new one, whole. A link stays a link,
    and what it points to is replaced. After an error, and after Ctrl-C, the old file stands and the
    temporary one is gone.

    Raises OSError when that cannot be done, or the path is a folder or a device.
    """
    target, temporary = _places(path)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot: the rename is done all the same
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def check_replaceable(path: str | os.PathLike[str]) -> None:
    """Find out now, not after an hour's work, that a file could not be written there.

    Raises OSError as `replacing` would.
    """
    _, temporary = _places(path)
    with open(temporary, "wb"):
        pass
    os.unlink(temporary)


def _places(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The file behind a path, and where to write before it takes that file's place."""
    name = os.fspath(path)
    target = os.path.realpath(name)
    if name.endswith(os.sep) or (os.path.exists(target) and not os.path.isfile(target)):
        raise OSError(errno.EINVAL, "is not a regular file", name)
    return target, f"{target}.{os.getpid()}.tmp"  # beside it: a rename stays on one file system
