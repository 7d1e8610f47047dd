"""Generation against Hugging Face's transformers: searches word for word, cuts share for share."""

import numpy as np
import pytest

from tests.generation.test_drawing import shares
from tinyseq.generation import generate
from tinyseq.generation.drawing import adjusted
from tinyseq.generation.options import Options
from tinyseq.models import GPT, gpt2_state

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs are not ours to mend
V = 13


@pytest.fixture(scope="module")
def models():
    """A GPT-2 whose predictions differ, as theirs and as ours."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=V, n_positions=64, n_embd=32, n_layer=2, n_head=4,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    theirs = transformers.GPT2LMHeadModel(config).eval()
    for parameter in theirs.parameters():
        parameter.data *= 3
    ours = GPT(V, 64, 2, 4, 32).eval()
    ours.load_state_dict(gpt2_state({k: v.numpy() for k, v in theirs.state_dict().items()}))
    return theirs, ours


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"repetition_penalty": 1.3},
        {"num_beams": 3},
        {"num_beams": 5, "length_penalty": 0.0},
        {"num_beams": 4, "length_penalty": 2.0},
        {"num_beams": 2, "length_penalty": -1.0},
    ],
)
def test_the_same_text_is_found(models, options):
    theirs, ours = models
    rng = np.random.default_rng(0)
    for _ in range(10):
        prompt = rng.integers(1, V, rng.integers(1, 6))
        with torch.no_grad():
            whole = theirs.generate(
                torch.tensor(prompt)[None], attention_mask=torch.ones(1, len(prompt)).long(),
                max_new_tokens=15, do_sample=False,
                early_stopping="never" if "num_beams" in options else False, **options,
            )  # fmt: skip
        wanted = whole[0, len(prompt) :].tolist()
        wanted = wanted[: wanted.index(0)] if 0 in wanted else wanted
        found = generate(ours, prompt, 15, stop=0, **{"temperature": 0.0} | options)
        assert found.tolist() == wanted


@pytest.mark.parametrize("top_k", [None, 1, 2, 5, 50])
@pytest.mark.parametrize("top_p", [None, 0.0, 0.3, 0.8, 1.0])
def test_the_same_shares_are_drawn(top_k, top_p):
    rng = np.random.default_rng(0)
    for temperature, penalty in ((0.5, 1.0), (1.0, 1.3), (2.0, 0.8)):
        x = rng.normal(size=9) * 3
        before, gone = rng.integers(0, 9, 3), int(rng.integers(9))
        ids, scores = torch.tensor(before)[None], torch.tensor(x)[None]
        steps = [
            transformers.RepetitionPenaltyLogitsProcessor(penalty),
            transformers.SuppressTokensLogitsProcessor([gone]),
            transformers.TemperatureLogitsWarper(temperature),
        ]
        steps += [transformers.TopKLogitsWarper(top_k)] if top_k else []
        steps += [transformers.TopPLogitsWarper(top_p)] if top_p is not None else []
        for step in steps:
            scores = step(ids, scores)
        options = Options(1, repetition_penalty=penalty, suppress=frozenset([gone]))
        ours = adjusted(x, set(before.tolist()), options)
        found = shares(ours, temperature, top_k, top_p)
        np.testing.assert_allclose(found, torch.softmax(scores, -1)[0], atol=1 / 400)
