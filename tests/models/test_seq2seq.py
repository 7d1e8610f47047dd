from itertools import product

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import backend
from tinyseq.generation import generate, stream
from tinyseq.models import RecurrentSeq2Seq, TransformerSeq2Seq
from tinyseq.nn import functional as F

S, V, BEGIN, END = 7, 9, 7, 8
KINDS = {
    "gru": lambda **k: RecurrentSeq2Seq(S, V, BEGIN, END, embed=5, hidden=8, **k),
    "lstm": lambda **k: RecurrentSeq2Seq(
        S, V, BEGIN, END, model="lstm", embed=5, hidden=8, layers=2, attention="general", **k
    ),
    "rnn": lambda **k: RecurrentSeq2Seq(
        S, V, BEGIN, END, model="rnn", embed=5, hidden=8, attention="dot", **k
    ),
    "transformer": lambda **k: TransformerSeq2Seq(
        S, V, BEGIN, END, embed=16, heads=2, layers=2, feedforward=24, **k
    ),
}
SOURCES = [[1, 2, 3], [6], [5, 4, 3, 2, 1, 0], [0, 0, 1, 2]]


@pytest.fixture(params=KINDS)
def kind(request):
    ts.manual_seed(0)
    return KINDS[request.param]


@pytest.fixture
def model(kind):
    made = kind().eval()
    for parameter in made.parameters():
        if parameter.ndim > 1:
            parameter.data[...] *= 2  # predictions that differ
    return made


def padded(rows, value=0):
    lengths = np.array([len(row) for row in rows])
    ids = np.full((len(rows), lengths.max()), value)
    for whole, row in zip(ids, rows, strict=True):
        whole[: len(row)] = row
    return ids, lengths


def test_padding_changes_no_row(model):
    (source, lengths), (target, target_lengths) = padded(SOURCES), padded(SOURCES[::-1])
    together = model(source, target, lengths, target_lengths).data
    assert together.shape == (4, 6, V)
    for i, (row, answer) in enumerate(zip(SOURCES, SOURCES[::-1], strict=True)):
        alone = model(np.array([row]), np.array([answer])).data[0]
        np.testing.assert_allclose(together[i, : len(answer)], alone, rtol=1e-4, atol=1e-5)


def test_what_lies_beyond_lengths_leaves_no_trace(model):
    (source, lengths), (target, target_lengths) = padded(SOURCES), padded(SOURCES[::-1])
    before = model(source, target, lengths, target_lengths).data
    source[np.arange(6) >= lengths[:, None]] = 5
    target[np.arange(6) >= target_lengths[:, None]] = 5
    np.testing.assert_array_equal(model(source, target, lengths, target_lengths).data, before)


def test_what_comes_later_does_not_matter(model):
    source, target = np.array([[1, 2, 3]]), np.array([[BEGIN, 1, 2, 3, 4]])
    before = model(source, target).data
    target[0, 3:] = 6
    np.testing.assert_array_equal(model(source, target).data[:, :3], before[:, :3])


def test_writing_gives_what_recomputing_gives(model):
    for source in SOURCES:
        found = generate(model, source, 25, temperature=0.0, suppress=[END]).tolist()
        assert len(found) == 25
        logits = model(np.array([source]), np.array([[BEGIN, *found]])).data[0].copy()
        logits[:, END] = -np.inf
        for at, symbol in zip(logits, found, strict=False):
            assert at[symbol] >= at.max() - 1e-4


@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"seed": 1}, {"num_beams": 3}])
def test_answers_side_by_side_are_what_they_are_alone(model, options):
    together = generate(model, SOURCES, 12, **options)
    for i, source in enumerate(SOURCES):
        seed = {"seed": options["seed"] + i} if "seed" in options else {}
        alone = generate(model, source, 12, **options | seed)
        assert together[i].tolist() == alone.tolist() and END not in alone


@pytest.mark.skipif(backend.info()["backend"] != "c", reason="NumPy's sums depend on the rows")
def test_answers_side_by_side_have_the_same_bits(model):
    written = np.random.default_rng(0).integers(0, S, (4, 10))

    @ts.no_grad
    def logits(sources, rows):
        decoding = model.start([np.array(source) for source in sources])
        return np.stack([decoding.step(written[rows, t, None]).data for t in range(10)], 1)

    together = logits(SOURCES, np.arange(4))
    for i, source in enumerate(SOURCES):
        np.testing.assert_array_equal(together[i], logits([source], np.array([i]))[0])


def test_beams_enough_find_the_best_of_all_answers(model):
    symbols = [s for s in range(V) if s != END]
    answers = np.array(list(product(symbols, repeat=3)))
    given = np.concatenate((np.full((len(answers), 1), BEGIN), answers[:, :-1]), 1)
    for source in SOURCES:
        logits = model(np.array([source] * len(answers)), given).data[:, :, symbols]
        likely = np.log(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
        places = np.searchsorted(symbols, answers)[..., None]
        totals = np.take_along_axis(likely, places, -1).sum((1, 2))
        found = generate(model, source, 3, num_beams=64, suppress=END).tolist()
        at = answers.tolist().index(found)
        assert totals[at] >= totals.max() - 1e-5


def test_reordered_rows_go_on_as_their_own(model):
    rows = np.array([2, 2, 0, 3])
    sources = [np.array(source) for source in SOURCES]
    with ts.no_grad():
        decoding, other = model.start(sources), model.start([sources[row] for row in rows])
        begun = np.array([[BEGIN], [1], [2], [3]])
        decoding.step(begun)
        other.step(begun[rows])
        decoding.reorder(rows)
        for t in range(3):
            ids = np.array([[t], [1], [2], [t]])
            np.testing.assert_allclose(
                decoding.step(ids).data, other.step(ids).data, rtol=1e-4, atol=1e-5
            )


def test_symbols_read_at_once_are_read_one_by_one(model):
    with ts.no_grad():
        one, all_at_once = (model.start([np.array([1, 2])]) for _ in range(2))
        for symbol in (BEGIN, 3, 4):
            last = one.step(np.array([[symbol]]))
        whole = all_at_once.step(np.array([[BEGIN, 3, 4]]))
    np.testing.assert_allclose(last.data, whole.data, rtol=1e-5, atol=1e-6)


def test_an_empty_source_and_no_source_are_fine(model):
    assert len(generate(model, [], 3, temperature=0, suppress=END)) == 3
    assert [len(row) for row in generate(model, [[1], []], 3, suppress=END, seed=0)] == [3, 3]
    assert generate(model, np.zeros((0, 4), np.int64), 3) == []
    assert list(stream(model, [1], 3, suppress=END, seed=0))
    assert model(np.zeros((0, 3), np.int64), np.zeros((0, 2), np.int64)).shape == (0, 2, V)


def test_every_parameter_learns_and_padding_sends_no_gradient(model):
    (source, lengths), (target, target_lengths) = padded(SOURCES), padded(SOURCES[::-1])

    def gradients(source, target):
        model.zero_grad()
        logits = model(source, target, lengths, target_lengths)
        wanted = np.where(np.arange(6) < target_lengths[:, None], 1, -100)
        F.cross_entropy(logits.reshape(-1, V), wanted.reshape(-1)).backward()
        return {name: p.grad.data.copy() for name, p in model.named_parameters()}

    found = gradients(source, target)
    assert all(np.abs(grad).max() > 0 for grad in found.values())
    source[np.arange(6) >= lengths[:, None]] = 5
    target[np.arange(6) >= target_lengths[:, None]] = 5
    for name, grad in gradients(source, target).items():
        np.testing.assert_allclose(grad, found[name], rtol=1e-5, atol=1e-7, err_msg=name)


def test_targets_have_their_marks(model):
    given, wanted = model.targets([[1, 2], []])
    assert [row.tolist() for row in given] == [[BEGIN, 1, 2], [BEGIN]]
    assert [row.tolist() for row in wanted] == [[1, 2, END], [END]]


def test_its_configuration_makes_it_again(model):
    again = type(model)(**model.configuration)
    again.load_state_dict(model.state_dict())
    source, target = np.array([[1, 2]]), np.array([[BEGIN, 1]])
    np.testing.assert_array_equal(again.eval()(source, target).data, model(source, target).data)


def test_dropout_is_for_training(kind):
    model = kind(dropout=0.5)
    source, target = np.array([[1, 2]]), np.array([[BEGIN, 1]])
    assert (model(source, target).data != model(source, target).data).any()
    model.eval()
    np.testing.assert_array_equal(model(source, target).data, model(source, target).data)


def test_bad_arguments_are_named(model):
    name = type(model).__name__
    with pytest.raises(ValueError, match=rf"{name}: source must be \(B, S\) and target \(B, T\)"):
        model(np.array([1, 2]), np.array([[BEGIN]]))
    with pytest.raises(ValueError, match=r"got \(1, 2\) and \(2, 1\)"):
        model(np.array([[1, 2]]), np.array([[BEGIN], [BEGIN]]))
    with pytest.raises(ValueError, match="lengths"):
        model(np.array([[1, 2]]), np.array([[BEGIN]]), [3])
    with pytest.raises(IndexError):
        generate(model, [S], 1)
    with pytest.raises(ValueError, match=f"{name}: end must be from 0 to 8, got 9"):
        type(model)(**model.configuration | {"end": 9})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "cnn"}, "model must be one of rnn, lstm, gru, got 'cnn'"),
        ({"attention": "all"}, "attention must be one of additive, dot, general, got 'all'"),
        ({"hidden": 5}, "hidden must be even, got 5"),
    ],
)
def test_bad_sizes_of_the_recurrent_one(wrong, message):
    with pytest.raises(ValueError, match=f"RecurrentSeq2Seq: {message}"):
        RecurrentSeq2Seq(S, V, BEGIN, END, **wrong)
