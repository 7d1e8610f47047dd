"""How PyTorch's functions are called, by position and by name, works here too."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tinyseq as ts  # noqa: E402
from tinyseq.autograd import Tensor  # noqa: E402

random = np.random.default_rng(0)
X, Y = random.standard_normal((2, 2, 3)).astype(np.float32)
NAMES = {"x": X, "y": Y, "i": np.array([[0, 1, 1], [1, 0, 1]]), "c": np.array([0, 2])}

CALLS = """
m.sum(x, dim=1, keepdim=True)
x.mean((0, 1), keepdim=True)
m.sum(x, [0, 1])
x.var(1, True, True)
m.var(x, dim=0, correction=0)
x.std(0, False)
m.max(x, dim=1)
m.max(x, y)
x.min(1)[0]
m.argmax(x, dim=1, keepdim=True)
x.cumsum(dim=0)
x.norm(p=2, dim=(0, 1))
m.norm(x, p="fro")
m.reshape(x, (3, 2))
x.reshape(shape=(3, 2))
x.view(-1)
m.flatten(x, start_dim=0, end_dim=1)
x.permute(1, 0)
x.permute(dims=(1, 0))
x.transpose(dim0=0, dim1=1)
x[None].squeeze(dim=0)
x[None].expand(4, -1, -1)
m.broadcast_to(x, size=(4, 2, 3))
m.cat((x, y), dim=1)
m.stack([x, y], -1)
m.split(x, split_size_or_sections=2, dim=1)
x.split([1, 2], dim=1)
x.chunk(chunks=2, dim=-1)
m.flip(x, [0])
m.flip(x, dims=(0, 1))
x.flip(0, 1)
m.roll(x, shifts=(1, 1), dims=(0, 1))
x.tile(dims=(2, 2))
x.repeat(2, 2)
x.repeat(repeats=(2, 1))
F.pad(x, pad=(1, 1), mode="constant", value=2.0)
m.gather(x, dim=1, index=i)
x.index_select(dim=1, index=i[0])
m.take_along_dim(x, i, dim=1)
m.scatter_add(x, dim=1, index=i, src=x)
x.index_add(dim=1, index=i[0], source=x, alpha=2)
x.masked_fill(mask=x > 0, value=-1)
m.index_put(x, indices=(i[:, 0],), values=m.ones(3), accumulate=True)
m.sort(x, dim=0, descending=True)
m.topk(x, k=2, dim=1, largest=False, sorted=True)
m.triu(x, diagonal=1)
F.one_hot(i, num_classes=3)
F.embedding(input=i, weight=x.T, padding_idx=0)
m.einsum("ij,kj->ik", [x, y])
m.softmax(x, dim=-1, dtype=d)
x.log_softmax(dim=0)
F.normalize(x, p=2, dim=-1, eps=0.1)
F.cross_entropy(input=x, target=c, weight=m.ones(3), reduction="sum", label_smoothing=0.1)
F.nll_loss(x, c, reduction="none")
F.huber_loss(x, y, reduction="sum", delta=0.5)
F.l1_loss(x, y)
m.zeros(2, 3)
m.zeros(size=(2, 3))
m.ones([2])
m.full(size=(2,), fill_value=1.5)
m.eye(2, 3)
m.arange(5)
m.arange(1, 5, 2)
m.arange(start=1, end=5)
m.arange(0.0, 1.0, 0.25)
m.arange(2, 8, step=3)
m.linspace(start=0, end=1, steps=3)
m.full_like(x, 2.0)
m.randn(size=(0, 3))
m.rand(0)
m.rand((2, 0))
m.randint(1, (2, 3))
m.randint(4, 5, size=(2,))
m.randint(low=1, high=2, size=(2,))
m.randint_like(x, 3, 4)
m.clamp(x, min=0)
x.clamp(max=0.5)
m.where(x > 0, x, 0.0)
x.where(x > 0, y)
m.round(x, decimals=1)
m.add(x, y, alpha=2)
m.sub(x, 1, alpha=3)
m.div(x, y, rounding_mode="floor")
x.div(y, rounding_mode="trunc")
x // 0.5
~(x > 0) & (y > 0)
(x > 0) | (y > 0)
m.pow(2, x)
F.softplus(x, beta=2, threshold=1)
F.gelu(x, approximate="tanh")
m.tensor([1, 2.5])
x.long()
x.bool()
x.size()
x.size(-1)
x.dim()
x.transpose(0, 1).contiguous().view(6)
"""


def run(call, module, functional, dtype):
    names = {name: module.tensor(array) for name, array in NAMES.items()}
    result = eval(call, {"m": module, "F": functional, "d": dtype, **names})
    if isinstance(result, torch.Tensor):
        result = result.numpy()
    results = result if isinstance(result, tuple) else (result,)
    return [np.asarray(y.data if isinstance(y, Tensor) else y) for y in results]


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_call(call):
    wanted = run(call, torch, torch.nn.functional, torch.float64)
    got = run(call, ts, ts.nn.functional, np.float64)
    assert len(got) == len(wanted)
    for y, other in zip(got, wanted, strict=True):
        assert y.shape == other.shape and y.dtype == other.dtype
        np.testing.assert_allclose(y, other, rtol=1e-5, atol=1e-6)
