"""Training, validation and test parts, in the order of time."""

from __future__ import annotations

from typing import Any

from tinyseq.data.text import DataError


def split_series(*series: Any, validation: float = 0.1, test: float = 0.1, gap: int = 0) -> Any:
    """Cut series into a training part, the validation part after it, and the test part after that.

    Nothing is shuffled: no part has a step from the time of one before it. Windows cut from each
    part on its own do not reach across; windows that begin in the part before, for a forecast from
    the part's first step on, are cut with `timeseries_windows` by ``start_index``.

    Args:
        series: one or more arrays (T, ...) or lists, of the same length.
        validation, test: shares of all steps, above 0 and together below 1; 0 for no such part.
        gap: steps left out between one part and the next, where targets reach that far ahead.

    Returns:
        train, validation and test, views of the series; of several series, tuples of these.

    Raises:
        ValueError: if a share or the gap is out of range.
        DataError: if the series are of unequal lengths, or too short for all parts.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ValueError(
            "split_series: validation and test must be at least 0 and together below 1, got "
            f"{validation} and {test}"
        )
    if gap < 0:
        raise ValueError(f"split_series: gap must be at least 0, got {gap}")
    if not series:
        raise ValueError("split_series: expected at least one series")
    lengths = {len(one) for one in series}
    if len(lengths) != 1:
        raise DataError(
            "split_series: the series must be of the same length, got "
            + " and ".join(str(len(one)) for one in series)
        )
    T = lengths.pop()
    test_start = T - round(T * test)
    validation_stop = test_start - (gap if test else 0)
    validation_start = validation_stop - round(T * validation)
    train_stop = validation_start - (gap if validation else 0)
    too_short = (
        train_stop < 1
        or (validation > 0 and validation_start == validation_stop)
        or (test > 0 and test_start == T)
    )
    if too_short:
        raise DataError(
            f"split_series: {T} step(s) are too few for a training part, a share of {validation} "
            f"to validate, {test} to test, and gaps of {gap}"
        )
    cuts = slice(train_stop), slice(validation_start, validation_stop), slice(test_start, T)
    parts = tuple(tuple(one[cut] for one in series) for cut in cuts)
    return parts if len(series) > 1 else tuple(part[0] for part in parts)
