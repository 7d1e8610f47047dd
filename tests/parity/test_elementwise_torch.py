"""Element by element beside PyTorch's: values and two derivatives, far out and at the kinks too."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tests.parity.compare import compare  # noqa: E402
from tinyseq import ops  # noqa: E402

NEAR = [-50.0, -3.0, -1.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 1.0, 3.0, 50.0]
FAR = np.array([-np.inf, -1e300, -1e4, *NEAR, 1e4, 1e300, np.inf])
BOUNDS = [
    np.array([[-2.0, 0.0, 0.5, 1.0, 2.0]] * 3),
    np.array([[-1.0, 0.0, 1.0, 1.0, 3.0]] * 3),
    np.array([[1.5] * 5, [0.5] * 5, [3.5] * 5]),
]


@pytest.mark.parametrize(
    "name",
    "neg abs sign exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan tanh sigmoid erf "
    "relu floor round".split(),
)
def test_functions_of_one_number(name):
    compare(getattr(ops, name), getattr(torch, name), [FAR])


@pytest.mark.parametrize("name", "relu leaky_relu elu silu softplus logsigmoid gelu".split())
def test_activations(name):
    # PyTorch's gelu is NaN at -∞, 0 here, and its second derivative is NaN at 1e300; that of
    # elu is 0 at 0, where here it is that of the same side as the first.
    worse = {"gelu": np.abs(FAR) >= 1e300, "elu": FAR == 0}.get(name, np.isnan(FAR))
    compare(getattr(ops, name), getattr(F, name), [FAR[~worse]])
    compare(getattr(ops, name), getattr(F, name), [FAR[name == "gelu" :]], order=1)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (lambda x: ops.leaky_relu(x, 0.2), lambda x: F.leaky_relu(x, 0.2)),
        (lambda x: ops.softplus(x, 2.0, 5.0), lambda x: F.softplus(x, 2.0, 5.0)),
        (lambda x: ops.clamp(x, -1, 3), lambda x: torch.clamp(x, -1, 3)),
        (lambda x: ops.clamp(x, min=-1), lambda x: torch.clamp(x, min=-1)),
        (lambda x: ops.clamp(x, max=0.5), lambda x: torch.clamp(x, max=0.5)),
        (lambda x: ops.elu(x + 0.1, 2.0), lambda x: F.elu(x + 0.1, 2.0)),
        (lambda x: ops.round(x * 1.37, 1), lambda x: torch.round(x * 1.37, decimals=1)),
        (lambda x: x.where(x > 0, 2.0), lambda x: x.where(x > 0, 2.0)),
    ],
)
def test_activations_with_arguments(ours, theirs):
    compare(ours, theirs, [FAR])


def test_gelu_by_tanh():
    ours, theirs = lambda x: ops.gelu(x, "tanh"), lambda x: F.gelu(x, approximate="tanh")
    compare(ours, theirs, [FAR[np.abs(FAR) < 1e300]])
    compare(ours, theirs, [FAR[1:]], order=1)  # at -∞ PyTorch's is NaN


def test_clamp_between_tensors():
    compare(ops.clamp, torch.clamp, BOUNDS)
    compare(lambda x, a: ops.clamp(x, min=a), lambda x, a: torch.clamp(x, min=a), BOUNDS[:2])
    compare(lambda x, b: ops.clamp(x, max=b), lambda x, b: torch.clamp(x, max=b), BOUNDS[::2])


@pytest.mark.parametrize("name", "add sub mul div maximum minimum lt le gt ge eq ne".split())
def test_functions_of_two_numbers(name):
    a, b = np.meshgrid(FAR, FAR)
    compare(getattr(ops, name), getattr(torch, name), [a, b])


@pytest.mark.parametrize("name", "add sub mul div maximum minimum pow".split())
@pytest.mark.parametrize(
    "a, b", [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 3), (3,)), ((1, 1), (0, 1))]
)
def test_broadcasting(name, a, b):
    random = np.random.default_rng(0)
    a, b = random.uniform(0.5, 2, a), random.uniform(0.5, 2, b)
    compare(getattr(ops, name), getattr(torch, name), [a, b])


@pytest.mark.parametrize("p", [0, 1, 2, 3, -1, -2, 0.5, 1.5])
def test_powers(p):
    # To the -½ PyTorch takes -∞ for NaN, where C and NumPy have 0.
    x = FAR[1:] if p % 1 else FAR
    compare(lambda x: x**p, lambda x: x**p, [x])


@pytest.mark.parametrize("base", [1, 2.0, 0.5])
def test_powers_of_a_number(base):
    compare(lambda x: base**x, lambda x: base**x, [FAR])


def test_an_infinite_gradient_stops_where_there_is_none():
    x = np.array([-1.0, 0.0, 4.0])
    compare(lambda x: ops.sqrt(ops.relu(x)), lambda x: torch.sqrt(torch.relu(x)), [x], order=1)
    zero = np.zeros(3)
    compare(
        lambda x, z: ops.sqrt(ops.maximum(x, z)),
        lambda x, z: torch.sqrt(torch.maximum(x, z)),
        [x[[0, 2, 2]], zero],
        order=1,
    )
    compare(
        lambda x: ops.sqrt(ops.clamp(x, min=0)),
        lambda x: torch.sqrt(torch.clamp(x, min=0)),
        [x],
        order=1,
    )
