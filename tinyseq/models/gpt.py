"""GPT: a decoder of causal self-attention, with the parameter names of GPT-2."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from tinyseq import init, nn
from tinyseq.autograd import Array, Tensor, no_grad
from tinyseq.models.decoding import Ids
from tinyseq.models.gpt_block import Block
from tinyseq.models.gpt_decoding import GPTDecoding
from tinyseq.models.gpt_step import product, through_layers
from tinyseq.nn import functional as F
from tinyseq.nn.checks import check_count, check_rate
from tinyseq.nn.layers import check_sizes

ACTIVATIONS = ("gelu_tanh", "gelu")
POSITIONS = ("learned", "rotary")

Cache = list[nn.KeyValueCache]  # one for each layer


class GPT(nn.Module):
    """A language model of L layers, each looking back and then thinking, norms first::

        x      = wte[ids] + wpe[0..T)
        x      = x + attention(norm(x));  x = x + mlp(norm(x))       L times
        logits = norm(x) Wᵀ

    Weights start normal with deviation 0.02, those whose result is added to x with
    0.02 / sqrt(2 L); biases start as zeros, norms as ones.

    Args:
        vocab_size: number of symbols, V.
        block_size: positions it knows, the longest sequence with learned positions. Rotary ones go
            on for ever; how far the model has learned to look is then for its user to know.
        n_layer: L.
        n_head: heads of attention, N.
        n_embd: width, E, a multiple of N.
        dropout: in training, the probability of a zero in the embedding, in attention's weights,
            and in what is added to x.
        bias: whether products and norms have one; the last product never does.
        n_kv_head: heads of keys and values, of which N is a multiple; N when not given.
        window: W > 0 lets a position see only itself and the W - 1 before it; 0 lets it see all.
        positions: "learned", or "rotary", which needs E/N even and has no wpe.
        activation: within the mlp, "gelu_tanh" as in GPT-2, or "gelu".
        tied: whether W is wte.

    Parameters: transformer.wte.weight (V,E), transformer.wpe.weight (block_size,E), lm_head.weight
    (V,E), transformer.ln_f and for each layer i transformer.h.i.ln_1, .attn.c_attn ((N + 2 M) d,E),
    .attn.c_proj (E,E), .ln_2, .mlp.c_fc (4 E,E), .mlp.c_proj (E,4 E), each with weight and bias.

    Raises ValueError when an argument is outside its range.

    Source: Radford et al., "Language models are unsupervised multitask learners", 2019.
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int,
        n_layer: int,
        n_head: int,
        n_embd: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        n_kv_head: int | None = None,
        window: int = 0,
        positions: str = "learned",
        activation: str = "gelu_tanh",
        tied: bool = True,
    ) -> None:
        heads = n_head if n_kv_head is None else n_kv_head
        check_sizes("GPT", vocab_size=vocab_size, block_size=block_size, n_layer=n_layer)
        check_sizes("GPT", n_head=n_head, n_embd=n_embd, n_kv_head=heads)
        check_count("GPT", "window", window)
        check_rate("GPT", "dropout", dropout)
        if n_embd % n_head or n_head % heads:
            raise ValueError(
                "GPT: n_embd must be a multiple of n_head and that of n_kv_head, "
                f"got {n_embd}, {n_head} and {heads}"
            )
        if positions not in POSITIONS:
            raise ValueError(f"GPT: positions must be learned or rotary, got {positions!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"GPT: activation must be gelu_tanh or gelu, got {activation!r}")
        self.configuration: dict[str, Any] = {
            "vocab_size": vocab_size,
            "block_size": block_size,
            "n_layer": n_layer,
            "n_head": n_head,
            "n_embd": n_embd,
            "dropout": dropout,
            "bias": bias,
            "n_kv_head": n_kv_head,
            "window": window,
            "positions": positions,
            "activation": activation,
            "tied": tied,
        }
        self.block_size = block_size
        self.window = window
        self.transformer = _Body(
            vocab_size,
            block_size if positions == "learned" else 0,
            n_embd,
            dropout,
            bias,
            [
                Block(
                    n_head, n_embd, dropout, bias, heads, window, positions == "rotary", activation
                )
                for _ in range(n_layer)
            ],
        )  # fmt: skip
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        if tied:
            self.lm_head.weight = self.transformer.wte.weight
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                init.constant_(parameter, 0.0)
            elif parameter.ndim == 2:
                added = name.endswith("c_proj.weight")
                init.normal_(parameter, std=0.02 / math.sqrt(2 * n_layer if added else 1))

    def forward(self, ids: Tensor | Array) -> Tensor:
        """Predict the symbol after each one.

        Args:
            ids: symbols (B,T), whole numbers in [0, V); T at most block_size if positions are
                learned.

        Returns logits (B,T,V).

        Raises ValueError for another shape, IndexError for a symbol that is not there.
        """
        logits: Tensor = self.lm_head(self._thoughts(_symbols("GPT", ids, 2)))
        return logits

    def loss(self, ids: Tensor | Array, targets: Tensor | Array, reduction: str = "mean") -> Tensor:
        """The cross-entropy of targets, in nats, without ever holding all the logits.

        Args:
            ids: symbols (B,T), as `forward` takes them.
            targets: the symbols after them, (B,T).
            reduction: "mean", "sum" or "none".

        Returns a scalar, or (B,T) for "none".

        Raises as `forward` does.
        """
        y = self._thoughts(_symbols("GPT.loss", ids, 2))
        return F.linear_cross_entropy(y, self.lm_head.weight, None, targets, reduction=reduction)

    def cache(self) -> Cache:
        """An empty cache for `step`; with a window it stays bounded."""
        return [nn.KeyValueCache(self.window) for _ in self.transformer.h]

    @no_grad
    def step(self, ids_t: Tensor | Array, cache: Cache) -> Tensor:
        """Predict what comes after the next symbols, without gradients.

        Args:
            ids_t: the next symbol of each row (B,), or the next several (B,t).
            cache: what `cache` made, or the step before left in it.

        Returns logits (B,V) or (B,t,V): those of `forward` on the whole sequence, step by step,
        and as in evaluation mode, without dropout.

        Raises as `forward` does, also when the positions end.
        """
        ids = _symbols("GPT.step", ids_t, 1, 2)
        if len(cache) != len(self.transformer.h):
            raise ValueError(
                f"GPT.step: cache must be of {len(self.transformer.h)} layers, got {len(cache)}"
            )
        single = ids.ndim == 1
        body = self.transformer
        first = int(cache[0].position[0]) if cache[0].position.size else 0
        x = self._embedded(ids[:, None] if single else ids, first)
        y = through_layers(x.data, cast("list[Block]", list(body.h)), body.ln_f, cache)
        logits = Tensor(product(self.lm_head, y))
        return logits[:, 0] if single else logits

    def start(self, prompts: Sequence[Ids]) -> GPTDecoding:
        """Begin to write, for `tinyseq.generation`: a row for each prompt, symbols (n,)."""
        return GPTDecoding(self, prompts)

    def _thoughts(self, ids: Array) -> Tensor:
        """What the last norm returns, (B,T,E)."""
        body = self.transformer
        x = body.drop(self._embedded(ids, 0))
        blocks = cast("list[Block]", list(body.h))
        y: Tensor = blocks[0].ln_1(x)
        for block, after in zip(blocks, [*(b.ln_1 for b in blocks[1:]), body.ln_f], strict=True):
            y, x = block(y, x, after)
        return y

    def _embedded(self, ids: Array, first: int) -> Tensor:
        """Symbols, at positions from ``first`` on, as vectors (B,T,E)."""
        body = self.transformer
        x: Tensor = body.wte(Tensor(ids))
        if body.wpe is None:
            return x
        last = first + ids.shape[1]
        if last > self.block_size:
            raise ValueError(f"GPT: {last} positions asked for, block_size is {self.block_size}")
        placed: Tensor = x + body.wpe(Tensor(np.arange(first, last)))
        return placed


class _Body(nn.Module):
    """All but the last product, under the name that GPT-2 gives it."""

    def __init__(
        self, vocab_size: int, positions: int, n_embd: int, dropout: float, bias: bool,
        blocks: list[Block],
    ) -> None:  # fmt: skip
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(positions, n_embd) if positions else None
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList(blocks)
        self.ln_f = nn.LayerNorm(n_embd, bias=bias)


def _symbols(name: str, ids: Any, *dims: int) -> Array:
    array: Array = ids.data if isinstance(ids, Tensor) else np.asarray(ids)
    if array.ndim not in dims:
        raise ValueError(f"{name}: ids must be {'(B,) or ' * (1 in dims)}(B, T), got {array.shape}")
    return array


def gpt2_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """GPT-2's published weights as `GPT.load_state_dict` takes them.

    GPT-2 holds the products' weights (in, out), here they are (out, in) as in `nn.Linear`: c_attn,
    c_proj and c_fc are transposed. Its files leave out the tied lm_head, which here is wte; may
    leave out "transformer." before each name; and hold masks, attn.bias and attn.masked_bias, which
    are no parameters.

    Args:
        state: dotted name -> anything NumPy can read, such as a safetensors file's arrays.

    Returns a new dictionary; the arrays are the given ones or views of them.
    """
    found: dict[str, Any] = {}
    for name, value in state.items():
        if name.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        array = np.asarray(value)
        turned = name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))
        whole = name.startswith(("transformer.", "lm_head."))
        found[name if whole else f"transformer.{name}"] = array.T if turned else array
    if "transformer.wte.weight" in found:
        found.setdefault("lm_head.weight", found["transformer.wte.weight"])
    return found
