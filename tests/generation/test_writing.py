import numpy as np
import pytest

import tinyseq as ts
from tests.generation.table import Table
from tinyseq import backend, nn
from tinyseq.generation import generate, stream
from tinyseq.models import GPT, CharLM
from tinyseq.training import Diverged

V = 9
KINDS = {
    "rnn": lambda: CharLM(V, "rnn", 5, 8),
    "lstm": lambda: CharLM(V, "lstm", 5, 8, 2),
    "gru": lambda: CharLM(V, "gru", 5, 8),
    "learned": lambda: GPT(V, 8, 2, 2, 16),
    "learned window": lambda: GPT(V, 8, 2, 2, 16, window=3),
    "rotary": lambda: GPT(V, 8, 2, 2, 16, positions="rotary", n_kv_head=1),
    "rotary window": lambda: GPT(V, 8, 2, 2, 16, positions="rotary", window=5),
}
PROMPTS = [[1], [2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4], [5, 5], [3, 2, 1, 0, 8]]
OPTIONS = {
    "greedy": {"temperature": 0.0},
    "draws": {"seed": 3},
    "all": {"seed": 3, "temperature": 1.3, "top_k": 6, "top_p": 0.9, "repetition_penalty": 1.2},
    "stop": {"seed": 5, "stop": [0, 4], "suppress": 1},
    "beams": {"num_beams": 3, "stop": 0, "length_penalty": 0.7, "repetition_penalty": 1.1},
}


@pytest.fixture(params=KINDS)
def model(request):
    ts.manual_seed(0)
    made = KINDS[request.param]().eval()
    for parameter in made.parameters():
        parameter.data[...] *= 4  # predictions that differ
    return made


def recomputed(model, text):
    """Logits after a text, by the whole model on what it may look back at."""
    if isinstance(model, CharLM):
        logits, _ = model(np.array([text]))
    else:
        endless = model.window and model.configuration["positions"] == "rotary"
        begin = 0
        while not endless and len(text) - begin > 8:
            begin += 5  # a full block of 8 begins anew with 4, and the one that is new
        logits = model(np.array([text[begin:]]))
    return logits.data[0, -1]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_cache_or_state_gives_what_recomputing_gives(model, prompt):
    found = generate(model, prompt, 30, temperature=0.0)
    text = list(prompt)
    for symbol in found.tolist():
        logits = recomputed(model, text)
        assert logits[symbol] >= logits.max() - 1e-4
        text.append(symbol)
    assert len(text) == len(prompt) + 30


@pytest.mark.parametrize("options", OPTIONS)
def test_rows_side_by_side_are_what_they_are_alone(model, options):
    options = OPTIONS[options]
    together = generate(model, PROMPTS, 20, **options)
    assert [row.dtype for row in together] == [np.int64] * 4
    for i, (prompt, row) in enumerate(zip(PROMPTS, together, strict=True)):
        seed = {"seed": options["seed"] + i} if "seed" in options else {}
        assert row.tolist() == generate(model, prompt, 20, **options | seed).tolist()


@pytest.mark.skipif(backend.info()["backend"] != "c", reason="NumPy's sums depend on the rows")
def test_side_by_side_and_alone_the_logits_have_the_same_bits(model, monkeypatch):
    def logits(prompts):
        decoding, step, found = model.start(prompts), None, []
        step = decoding.step
        decoding.step = lambda ids: found.append(step(ids).data.copy()) or found[-1]
        monkeypatch.setattr(type(model), "start", lambda self, prompts: decoding)
        generate(model, prompts, 15, temperature=0.0)
        monkeypatch.undo()
        return np.stack(found)

    prompts = [np.array(PROMPTS[0] * 3), np.array(PROMPTS[3][:3])]
    together = logits(prompts)
    for i, prompt in enumerate(prompts):
        np.testing.assert_array_equal(together[:, i], logits([prompt])[:, 0])


def test_what_it_wrote_is_read_like_a_prompt(model):
    start = generate(model, [1, 2], 40, temperature=0.0).tolist()
    for n in (5, 6, 7, 13, 22):
        assert generate(model, [1, 2, *start[:n]], 10, temperature=0.0).tolist() == start[n:][:10]


def test_the_seed_decides(model):
    def drawn(**options):
        return generate(model, [1, 2], 40, **options).tolist()

    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)
    ts.manual_seed(5)
    first = drawn()
    second = drawn()
    ts.manual_seed(5)
    assert drawn() == first != second


def test_equal_prompts_are_given_different_draws():
    first, second = generate(Table(9), [[1], [1]], 40, seed=0)
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("options", [{"seed": 2, "top_p": 0.9}, {"num_beams": 3}])
def test_a_stream_gives_the_same_as_they_come(options):
    table = Table(V, stop=(0,))
    assert list(stream(table, [3], 20, **options)) == generate(table, [3], 20, **options).tolist()
    rows = [[], [], [], []]
    for row, symbol in stream(table, PROMPTS, 20, **options):
        rows[row].append(symbol)
    assert rows == [row.tolist() for row in generate(table, PROMPTS, 20, **options)]


def test_a_stream_reads_no_further_than_it_is_asked():
    table = Table(V)
    symbols = stream(table, [3, 4], 20, seed=0)
    for n in range(1, 5):
        next(symbols)
        assert table.steps == n and table.fed == n + 1


def test_rows_that_have_ended_cost_nothing_more():
    table = Table(V)
    generate(table, PROMPTS, 3, seed=0)
    # Every row reads its prompt and all it writes but the last symbol.
    assert table.fed == sum(len(prompt) + 2 for prompt in PROMPTS)


@pytest.mark.parametrize("kind", ["numbers", "array", "tensor", "tuple", "unsigned"])
def test_a_prompt_may_be_given_in_many_ways(kind):
    ways = {
        "numbers": [[1, 2], [3, 4]],
        "array": np.array([[1, 2], [3, 4]], np.int32),
        "tensor": ts.tensor([[1, 2], [3, 4]]),
        "tuple": ((1, 2), (3, 4)),
        "unsigned": [np.array([1, 2], np.uint8), np.array([3, 4], np.uint8)],
    }
    given = ways[kind]
    found = generate(Table(V), given, 3, temperature=0)
    assert isinstance(found, list) and len(found) == 2
    alone = generate(Table(V), given[0], 3, temperature=0)
    assert isinstance(alone, np.ndarray) and alone.tolist() == found[0].tolist()


def test_nothing_to_write_and_nobody_to_write_for():
    table = Table(V)
    found = generate(table, [1], 0)
    assert found.shape == (0,) and found.dtype == np.int64 and table.steps == 0
    assert generate(table, np.zeros((0, 3), np.int64), 5) == []
    assert list(stream(table, [1], 0)) == []


@pytest.mark.parametrize("beams", [1, 2])
def test_bad_prompts_are_named(beams):
    def fails(error, message, prompt):
        with pytest.raises(error, match=f"^generate: {message}"):
            generate(Table(V), prompt, 1, num_beams=beams)

    fails(ValueError, "prompt must have at least one symbol, got none", [])
    fails(ValueError, "prompt 1 must have at least one symbol, got none", [[1], []])
    fails(TypeError, "prompt must be whole numbers, got float64", [1.0])
    fails(TypeError, "prompt must be symbols, or several such, got None", None)
    fails(TypeError, "prompt 1 must be whole numbers, got <U1", [[1], ["a"]])
    fails(ValueError, r"prompt 0 must be \(n,\), got \(2, 1\)", [[[1], [2]]])


def test_a_model_that_cannot_be_written_with():
    with pytest.raises(TypeError, match=r"model must have start\(prompts\), .* got Linear"):
        generate(nn.Linear(2, 3), [1], 1)


def test_a_symbol_that_is_not_there(model):
    with pytest.raises(IndexError):
        generate(model, [1, V], 1)


def test_predictions_that_are_no_numbers():
    table = Table(V)
    table.logits[...] = np.nan
    with pytest.raises(Diverged, match="predictions are not numbers"):
        generate(table, [1], 1)


def test_nothing_is_recorded_inside_and_recording_goes_on_outside(model, monkeypatch):
    layer, recorded = nn.Embedding.forward, []

    def watched(self, *args):
        recorded.append(ts.is_grad_enabled())
        return layer(self, *args)

    monkeypatch.setattr(nn.Embedding, "forward", watched)
    for _ in stream(model, [1], 3):
        assert ts.is_grad_enabled()
    assert len(recorded) >= 3 and not any(recorded)
