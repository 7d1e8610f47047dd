import json

import numpy as np
import pytest

from tinyseq.data import DataError, MinMaxScaler, StandardScaler

RNG = np.random.default_rng(0)
TRAIN = RNG.standard_normal((200, 3)) * [1, 50, 1e-3] + [0, 1000, 5]
NAN = float("nan")
KINDS = [StandardScaler, MinMaxScaler]


def test_the_training_part_has_mean_0_and_variance_1():
    z = StandardScaler().fit(TRAIN).transform(TRAIN)
    # The last mean is rounded at 5, five thousand times the deviation.
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-11)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)


def test_the_training_part_lies_from_0_to_1():
    z = MinMaxScaler().fit(TRAIN).transform(TRAIN)
    assert (z.min(axis=0) == 0).all() and (z.max(axis=0) == 1).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_inverse_brings_it_back_in_its_dtype(kind, dtype):
    x = TRAIN.astype(dtype)
    scaler = kind().fit(x[:100])
    z = scaler.transform(x)
    assert z.dtype == dtype
    back = scaler.inverse_transform(z)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, x, rtol=0, atol=np.finfo(dtype).eps * 4 * abs(x).max())


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_after_the_training_part_has_no_say(kind):
    scaler = kind().fit(TRAIN[:100])
    before = scaler.state_dict()
    scaler.transform(TRAIN[100:] * 1000)
    assert scaler.state_dict() == before
    np.testing.assert_array_equal(scaler.transform(TRAIN)[50], scaler.transform(TRAIN[50:51])[0])


@pytest.mark.parametrize("kind", KINDS)
def test_windows_lists_and_single_series_share_what_is_measured(kind):
    wanted = kind().fit(TRAIN).state_dict()
    assert kind().fit(TRAIN.reshape(10, 20, 3)).state_dict() == wanted
    assert kind().fit([TRAIN[:7], TRAIN[7:7], TRAIN[7:]]).state_dict() == wanted
    one = kind().fit(TRAIN[:, 1])
    for name, value in one.state_dict().items():
        assert value == pytest.approx(wanted[name][1], rel=1e-12)  # summed in another order
    scaler = kind().fit(TRAIN)
    whole = scaler.transform(TRAIN)
    np.testing.assert_array_equal(scaler.transform(TRAIN.reshape(10, 20, 3)).reshape(-1, 3), whole)
    parts = scaler.transform([TRAIN[:7], TRAIN[7:]])
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_allclose(np.concatenate(scaler.inverse_transform(parts)), TRAIN, rtol=1e-12)
    np.testing.assert_allclose(one.transform(TRAIN[:, 1]), whole[:, 1], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_values_are_not_measured_and_stay_missing(kind):
    holes = TRAIN.copy()
    holes[::3, 1] = NAN
    scaler = kind().fit(holes)
    present = kind().fit(TRAIN[np.arange(200) % 3 > 0, 1])
    assert scaler.state_dict()["shift"][1] == pytest.approx(present.state_dict()["shift"])
    assert scaler.state_dict()["scale"][1] == pytest.approx(present.state_dict()["scale"])
    np.testing.assert_array_equal(np.isnan(scaler.transform(holes)), np.isnan(holes))


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_that_never_changes_becomes_0(kind):
    x = np.full((7, 1), 0.1)  # the mean of seven is not 0.1 exactly
    scaler = kind().fit(x)
    assert scaler.state_dict()["scale"] == [1.0]
    np.testing.assert_allclose(scaler.transform(x), 0, atol=1e-16)
    assert scaler.transform(np.array([[1.1]])) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_goes_through_json(kind):
    scaler, other = kind().fit(TRAIN), kind()
    other.load_state_dict(json.loads(json.dumps(scaler.state_dict())))
    np.testing.assert_array_equal(other.transform(TRAIN), scaler.transform(TRAIN))
    for wrong in ({}, {"shift": [0.0], "scale": [0.0]}, {"shift": [0.0], "scale": 1.0}):
        with pytest.raises(ValueError, match="not a scaler's state"):
            other.load_state_dict(wrong)
    np.testing.assert_array_equal(other.transform(TRAIN), scaler.transform(TRAIN))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: StandardScaler().fit([]), DataError, "x is empty"),
        (lambda: StandardScaler().fit(np.zeros((0, 3))), DataError, "x is empty"),
        (lambda: StandardScaler().fit(np.array(["a"])), DataError, "must hold numbers, got <U1"),
        (lambda: StandardScaler().fit(np.array(1.0)), DataError, r"\(T, D\) or .*, got \(\)"),
        (lambda: MinMaxScaler().fit([[1.0, np.inf]]), DataError, "holds an infinite value"),
        (lambda: MinMaxScaler().fit(np.array([[1, NAN]])), DataError, "feature 1 of 2 is missing"),
        (lambda: MinMaxScaler().fit([np.ones((2, 2)), np.ones((2, 3))]), DataError, "same feat"),
        (lambda: StandardScaler().transform(TRAIN), RuntimeError, "call fit"),
        (lambda: StandardScaler().inverse_transform(TRAIN), RuntimeError, "call fit"),
        (lambda: StandardScaler().state_dict(), RuntimeError, "call fit"),
        (
            lambda: StandardScaler().fit(TRAIN).transform(TRAIN[:, :2]),
            DataError,
            r"shape \(200, 2\), but was fitted on \(T, 3\)",
        ),
        (lambda: StandardScaler().fit(TRAIN[0]).transform(TRAIN), DataError, r"fitted on \(T,\)"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
