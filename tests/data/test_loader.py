import json

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.data import DataError, DataLoader

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(0, 30, 103)
SEQUENCES = [np.full((n, 2), i + 1.0) for i, n in enumerate(LENGTHS)]  # row i is full of i + 1


def numbers(loader):
    """Of each batch, which rows it has."""
    return [batch.y.tolist() for batch in loader]


def flat(batches):
    return [row for batch in batches for row in batch]


def test_an_array_comes_in_order_with_what_is_left_over_last():
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    loader = DataLoader(x, y, batch_size=4)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert [len(batch.x) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([batch.x for batch in batches]), x)
    np.testing.assert_array_equal(np.concatenate([batch.y for batch in batches]), y)
    assert batches[0].lengths is None
    assert batches[0].x.dtype == np.float32 and batches[0].y.dtype == y.dtype


def test_floats_are_float32_unless_asked_otherwise():
    for dtype, out in [(np.float32, np.float32), (np.float64, np.float64), (None, np.float16)]:
        (x, y, _), *_ = DataLoader(np.ones((3, 2), np.float16), [1.0, 2.0, 3.0], dtype=dtype)
        assert x.dtype == out and y.dtype == (dtype or np.float64)


def test_unequal_sequences_are_padded_and_come_with_their_lengths():
    seen = 0
    for x, y, lengths in DataLoader(SEQUENCES, np.arange(103), batch_size=8):
        assert x.shape == (len(y), max(lengths), 2)
        np.testing.assert_array_equal(lengths, LENGTHS[y])
        for row, number, length in zip(x, y, lengths, strict=True):
            assert (row[:length] == number + 1).all() and (row[length:] == 0).all()
        seen += len(y)
    assert seen == 103


def test_targets_of_unequal_lengths_are_padded_with_what_the_loss_leaves_out():
    whole = [np.full(n, 3) for n in LENGTHS]
    for x, y, lengths in DataLoader(SEQUENCES, whole, batch_size=103):
        real = np.arange(y.shape[1]) < lengths[:, None]
        assert (y[real] == 3).all() and (y[~real] == -100).all()
        logits = ts.tensor(np.zeros((*x.shape[:2], 5), np.float32)).reshape(-1, 5)
        loss = ts.cross_entropy(logits, y.reshape(-1))
        assert loss.item() == pytest.approx(np.log(5))
    (_, y, _), *_ = DataLoader(SEQUENCES, [a[:, 0] for a in SEQUENCES], batch_size=103)
    assert y.min() == 0 and y.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_unsigned_targets_are_padded_so_too(dtype):
    rows = [np.array([250, 1], dtype), np.array([3], dtype)]
    (batch,) = DataLoader(rows, rows)
    assert batch.y.tolist() == [[250, 1], [3, -100]]
    assert batch.x.tolist() == [[250, 1], [3, 0]] and batch.x.dtype == dtype


def test_steps_are_compared_with_those_of_the_last_input():
    source, target = [[1, 2, 3], [4]], [[1], [2, 3]]
    assert len(DataLoader((source, target), target)) == 1


def test_an_empty_sequence_leaves_the_others_whole_numbers():
    ((x, y, lengths),) = DataLoader([[], [1, 2]], [[], [3, 4]])
    assert x.tolist() == [[0, 0], [1, 2]] and x.dtype == np.int64
    assert y.tolist() == [[-100, -100], [3, 4]] and lengths.tolist() == [0, 2]


def test_a_list_of_equal_sequences_is_the_array_they_make():
    (x, _, lengths), *_ = DataLoader([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]] and lengths is None


def test_lengths_of_padded_rows_are_handed_on():
    x = RNG.standard_normal((10, 7))
    given = RNG.integers(0, 8, 10)
    for _, y, lengths in DataLoader(x, np.arange(10), 3, shuffle=True, lengths=given):
        np.testing.assert_array_equal(lengths, given[y])


def test_several_inputs_come_side_by_side():
    sources, targets = SEQUENCES[:9], [np.full(n + 1, n) for n in range(9)]
    for batch in DataLoader((sources, targets, np.arange(9)), np.arange(9), 4, shuffle=True):
        source, target, number = batch.x
        assert batch.lengths[2] is None
        np.testing.assert_array_equal(batch.lengths[0], LENGTHS[batch.y])
        np.testing.assert_array_equal(batch.lengths[1], batch.y + 1)
        np.testing.assert_array_equal(number, batch.y)
        assert source.shape[1] == max(batch.lengths[0]) and target.shape[1] == max(batch.y) + 1
    (x, _, lengths), *_ = DataLoader((np.ones(3), np.ones((3, 2))))
    assert len(x) == 2 and lengths is None


def test_nan_is_an_error_unless_it_is_asked_for(tmp_path):
    good = np.zeros((5, 3))
    bad = good.copy()
    bad[4, 2] = np.nan
    for x in (bad, [good, bad[2:]], (good, bad), bad[:, ::-1]):
        with pytest.raises(DataError, match=r"x has missing values \(NaN\).*Imputer"):
            DataLoader(x)
        DataLoader(x, missing="keep")
    with pytest.raises(DataError, match="y has missing values"):
        DataLoader(good, bad)
    (x, _, _), *_ = DataLoader(bad, missing="keep")
    assert np.isnan(x).sum() == 1
    np.save(tmp_path / "rows.npy", bad)
    DataLoader(np.load(tmp_path / "rows.npy", mmap_mode="r"))  # as much as there is memory, or more


class Items:
    """A data set as PyTorch's are: pairs, made when they are asked for."""

    def __len__(self):
        return 103

    def __getitem__(self, i):
        if not 0 <= i < 103:
            raise IndexError(i)
        return SEQUENCES[i], i


def test_anything_with_items_will_do():
    for x, y, lengths in DataLoader(Items(), batch_size=8, shuffle=True):
        np.testing.assert_array_equal(lengths, LENGTHS[y])
        assert x.shape == (len(y), max(lengths), 2)
    sorted_ones = DataLoader(Items(), batch_size=8, bucket=13, lengths=LENGTHS)
    assert np.diff(np.concatenate([batch.lengths for batch in sorted_ones])).min() >= 0


def test_each_epoch_has_its_own_order_and_the_seed_decides():
    def orders(seed):
        loader = DataLoader(np.zeros(50), np.arange(50), 8, shuffle=True, seed=seed)
        return [flat(numbers(loader)) for _ in range(3)]

    first = orders(0)
    assert first == orders(0) != orders(1)
    assert first[0] != first[1] != first[2]
    assert all(sorted(order) == list(range(50)) for order in first)
    np.random.default_rng(0)
    ts.manual_seed(7)  # the process' generator has no part in it
    assert orders(0) == first


@pytest.mark.parametrize("bucket", [0, 3])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch", range(14))
def test_it_goes_on_in_the_middle_of_an_epoch(bucket, drop_last, batch):
    def loader():
        return DataLoader(
            SEQUENCES, np.arange(103), 8, True, bucket=bucket, seed=5, drop_last=drop_last
        )

    whole = loader()
    list(whole)
    wanted = numbers(whole), numbers(whole)
    batch = min(batch, len(whole))
    broken = loader()
    list(broken)
    position = iter(broken)
    read = [next(position).y.tolist() for _ in range(batch)]
    state = json.loads(json.dumps(broken.state_dict()))

    resumed = loader()
    resumed.load_state_dict(state)
    if batch == 0:  # nothing has been read: the epoch before has ended, this one has not begun
        assert numbers(resumed) == wanted[0]
    else:
        assert read + numbers(resumed) == wanted[0]
    assert numbers(resumed) == wanted[1]


def test_breaking_off_without_going_on_begins_a_new_epoch():
    loader = DataLoader(np.zeros(50), np.arange(50), 8, shuffle=True)
    fresh = DataLoader(np.zeros(50), np.arange(50), 8, shuffle=True)
    next(iter(loader))
    numbers(fresh)
    assert numbers(loader) == numbers(fresh)


def test_batches_of_like_length_hold_less_padding():
    def padding(**options):
        loader = DataLoader(SEQUENCES, np.arange(103), 8, True, **options)
        batches = list(loader)
        assert sorted(np.concatenate([b.y for b in batches])) == list(range(103))
        assert len(batches) == len(loader) == 13
        order = [int(b.lengths.max()) for b in batches]
        assert order != sorted(order)
        return sum(b.x.shape[0] * b.x.shape[1] - b.lengths.sum() for b in batches)

    plain, some, all_ = padding(), padding(bucket=4), padding(bucket=100)
    assert all_ < some < plain / 2


def test_dropping_the_last_leaves_out_rows_of_any_length():
    left_out = set()
    loader = DataLoader(SEQUENCES, np.arange(103), 8, True, bucket=100, drop_last=True)
    for _ in range(100):
        batches = numbers(loader)
        assert len(batches) == len(loader) == 12 and {len(batch) for batch in batches} == {8}
        left_out.update(set(range(103)) - set(flat(batches)))
    assert len(left_out) > 95


def test_every_layout_will_do():
    x = np.arange(60.0).reshape(10, 6)
    for view in (x.T.copy().T, x[::-1][::-1], x[:, ::2]):
        view.flags.writeable = False
        (batch, _, _), *_ = DataLoader(view, batch_size=10)
        np.testing.assert_array_equal(batch, view)
    (batch, _, _), *_ = DataLoader(ts.tensor([[1.0, 2.0]]))
    assert batch.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: DataLoader([]), DataError, "x is empty"),
        (lambda: DataLoader(np.zeros((0, 3))), DataError, "x is empty"),
        (lambda: DataLoader(np.zeros(3), []), DataError, "y is empty"),
        (lambda: DataLoader(np.zeros(3), np.zeros(4)), DataError, "rows, got 3 and 4"),
        (lambda: DataLoader([[1, 2], [3]], [[1, 2], [3, 4, 5]]), DataError, "got 1 and 3 in row 1"),
        (
            lambda: DataLoader(([[1], [2, 3]], [[1, 2], [3]]), [[1], [2, 3]]),
            DataError,
            "as many steps, got 2 and 1 in row 0",
        ),
        (lambda: DataLoader((np.zeros(3), np.zeros(4))), DataError, "rows, got 3 and 4"),
        (lambda: DataLoader(["ab", "c"]), DataError, r"x\[0\] must hold numbers, got <U2"),
        (lambda: DataLoader([[[1, 2], [3]]]), DataError, r"x\[0\] must be an array of numbers"),
        (lambda: DataLoader([[1], 2]), DataError, r"shapes \(1,\) and \(\) \(number 1\)"),
        (
            lambda: DataLoader([np.ones((2, 3)), np.ones((2, 4))]),
            DataError,
            r"in their lengths alone, got shapes \(2, 3\) and \(2, 4\)",
        ),
        (lambda: DataLoader(3), TypeError, "got int"),
        (lambda: DataLoader(np.float32(3)), DataError, "one number"),
        (lambda: DataLoader(np.zeros((3, 2)), lengths=[1, 2]), DataError, r"whole numbers \(3,\)"),
        (
            lambda: DataLoader(np.zeros((2, 2)), lengths=[1, 3]),
            DataError,
            "from 0 to 2, got 1 to 3",
        ),
        (lambda: DataLoader(np.zeros((2, 2)), lengths=[-1, 2]), DataError, "from 0 to 2, got -1"),
        (lambda: DataLoader([[1], [2, 3]], lengths=[1, 2]), DataError, "their own already"),
        (lambda: DataLoader((np.zeros(2),), lengths=[1, 2]), TypeError, "a tuple of 1"),
        (lambda: DataLoader(np.zeros(3), batch_size=0), ValueError, "at least 1, got 0"),
        (lambda: DataLoader(np.zeros(3), batch_size=1.5), ValueError, "at least 1, got 1.5"),
        (lambda: DataLoader(np.zeros(3), seed=-1), ValueError, "at least 0, got -1"),
        (lambda: DataLoader(np.zeros(3), bucket=None), ValueError, "at least 0, got None"),
        (lambda: DataLoader(np.zeros(3), drop_last=True), DataError, "less than one batch of 32"),
        (lambda: DataLoader(np.zeros(3), missing="fill"), ValueError, '"raise" or "keep", got'),
        (lambda: DataLoader(np.zeros(3), bucket=2), DataError, "x has no lengths"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("change", [{"batch": 14}, {"batch": -1}, {"epoch": "1"}, {"of": {}}])
def test_a_position_in_other_data_is_refused(change):
    loader = DataLoader(SEQUENCES, np.arange(103), 8, True)
    next(iter(loader))
    before = loader.state_dict()
    with pytest.raises(DataError, match="position"):
        loader.load_state_dict({**before, **change})
    assert loader.state_dict() == before
