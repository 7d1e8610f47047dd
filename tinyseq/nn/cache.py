"""KeyValueCache: keys and values that attention has seen, kept for the queries to come."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyseq.autograd import Array, Tensor
from tinyseq.backend.attention import KEY_TILE
from tinyseq.nn.checks import check_count
from tinyseq.ops.lengths import check_lengths


class Seen(NamedTuple):
    """What the queries of one chunk may look at, as attention takes it."""

    k: Tensor  # (B,M,S,d), a view
    v: Tensor  # (B,M,S,dv), a view
    start: Array | None  # int64 (B,): the slot of the chunk's first key; None: S - t in every row
    lengths: Array | None  # int64 (B,): the slots that hold keys; None: all S in every row

    def reordered(self, rows: Array) -> Seen:
        """The same for other rows, as `KeyValueCache.reorder` counts them."""
        start, lengths = (None if part is None else part[rows] for part in self[2:])
        return Seen(Tensor(self.k.data[rows]), Tensor(self.v.data[rows]), start, lengths)


class KeyValueCache:
    """Keys and values of one attention layer, for queries that come in bit by bit::

        cache = KeyValueCache()
        seen = cache.append(k, v)
        y = F.scaled_dot_product_attention(
            q, seen.k, seen.v, is_causal=True, start=seen.start, lengths=seen.lengths
        )

    It holds values alone: no gradient flows through it. Memory grows geometrically, so that a token
    costs no more to append the longer the text. With a window, keys that no later query can see are
    dropped, a whole key tile of the attention kernels at a time, so that the others keep their
    places within tiles, and with them the bits of every sum.

    Args:
        window: W > 0 for attention in which a query at position p sees only keys from p - W + 1 on;
            0 keeps every key.

    Attributes:
        position: int64 (B,), how many keys each row has been given, which is the position of its
            next one; empty before the first `append`.

    Raises ValueError when the window is not a whole number from 0 up.
    """

    def __init__(self, window: int = 0) -> None:
        check_count("KeyValueCache", "window", window)
        self.window = window
        self.position: Array = np.zeros(0, np.int64)
        self._slots: Array = self.position  # of each row's next key
        self._even = True  # whether all rows stand at the same slot
        self._k: Array | None = None  # (B,M,capacity,d)
        self._v: Array | None = None

    @property
    def nbytes(self) -> int:
        """The memory that the keys and values take up, free slots included."""
        return sum(kept.nbytes for kept in (self._k, self._v) if kept is not None)

    def append(self, k: Tensor | Array, v: Tensor | Array, lengths: Any = None) -> Seen:
        """Add the keys and values of the next chunk of every row.

        Args:
            k: Tensor or array (B,M,t,d).
            v: Tensor or array (B,M,t,dv), of the same dtype.
            lengths: how many of the t are real in each row, B whole numbers from 0 to t; all of
                them when not given. The row's next chunk begins where these end.

        Returns what the chunk's queries may look at, `Seen`: views, good until the next `append`.

        Raises ValueError when B, M, d, dv or t differ between the two or from before, or for
        lengths outside that range; TypeError for another dtype.
        """
        k, v = (given.data if isinstance(given, Tensor) else given for given in (k, v))
        self._check(k, v)
        t = k.shape[2]
        if lengths is not None:
            lengths = check_lengths("KeyValueCache.append", lengths, k.shape[0], t)
        if self._k is None or self._v is None:
            self._slots = self.position = np.zeros(len(k), np.int64)
        if self._k is None or int(self._slots.max(initial=0)) + t > self._k.shape[2]:
            self._make_room(k, v)
        assert self._k is not None and self._v is not None
        start = self._slots
        if self._even:
            first = int(start[0]) if len(start) else 0
            self._k[:, :, first : first + t] = k
            self._v[:, :, first : first + t] = v
        else:
            for b, first in enumerate(start.tolist()):
                self._k[b, :, first : first + t] = k[b]
                self._v[b, :, first : first + t] = v[b]
        added = t if lengths is None else lengths
        ends = start + added
        self.position, self._slots = self.position + added, ends
        S = int(start.max(initial=0)) + t
        seen_k, seen_v = Tensor(self._k[:, :, :S]), Tensor(self._v[:, :, :S])
        if self._even and lengths is None:
            return Seen(seen_k, seen_v, None, None)
        self._even = bool((ends == ends[:1]).all())
        return Seen(seen_k, seen_v, start, ends)

    def reorder(self, rows: Array) -> None:
        """Go on with other rows: the next chunk's row i follows what row rows[i] has been given.

        Args:
            rows: whole numbers in [0, B), any number of them; one may be there several times.
        """
        if self._k is None or self._v is None:
            return
        self._k, self._v = self._k[rows], self._v[rows]
        self.position, self._slots = self.position[rows], self._slots[rows]

    def _check(self, k: Array, v: Array) -> None:
        name = "KeyValueCache.append"
        if k.ndim != 4 or v.ndim != 4 or k.shape[:3] != v.shape[:3]:
            raise ValueError(
                f"{name}: k must be (B, M, t, d) and v (B, M, t, dv), got {k.shape} and {v.shape}"
            )
        if k.dtype != v.dtype:
            raise TypeError(f"{name}: k and v must have one dtype, got {k.dtype} and {v.dtype}")
        for letter, given, kept in (("k", k, self._k), ("v", v, self._v)):
            if kept is None:
                continue
            (B, M, _, d) = kept.shape
            if given.shape[:2] != (B, M) or given.shape[3] != d:
                raise ValueError(f"{name}: {letter} must be ({B}, {M}, t, {d}), got {given.shape}")
            if given.dtype != kept.dtype:
                raise TypeError(
                    f"{name}: {letter} must be {kept.dtype} as before, got {given.dtype}"
                )

    def _make_room(self, k: Array, v: Array) -> None:
        """Drop what no query will see, and move the rest to memory with room for as much again."""
        B, _, t, _ = k.shape
        gone = np.zeros(B, np.int64)
        if self.window:
            gone = np.maximum(self._slots - self.window + 1, 0) // KEY_TILE * KEY_TILE
        slots = self._slots - gone
        needed = int(slots.max(initial=0)) + t
        spare = max(needed, KEY_TILE)
        if self.window:
            spare = min(spare, max(self.window, KEY_TILE))
        rooms = []
        for old, new in ((self._k, k), (self._v, v)):
            room = np.empty((*new.shape[:2], needed + spare, new.shape[3]), new.dtype)
            if old is not None:
                for b, (first, n) in enumerate(zip(gone.tolist(), slots.tolist(), strict=True)):
                    room[b, :, :n] = old[b, :, first : first + n]
            rooms.append(room)
        (self._k, self._v), self._slots = rooms, slots
