"""Attention in separate steps, each an operator that can be quantized by itself.

torch.nn's attention calls kernels that do everything at once. `open_up` puts the classes of this
file in their place, in the model as it is; COMPOSITES says what stands for functions that do the
same. Scores are computed from a query that was scaled, and masked inside of the softmax.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .._twofold import Error
from ..quantization._ops.masked_softmax import masked_softmax


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """torch's function of that name: query [..., H, L, E], key and value [..., H, S, E].

    `attn_mask` is broadcast to [..., H, L, S]: bool, True for what takes part, or float, added to
    the scores. With `enable_gqa`, key and value may have fewer heads than query.
    """
    if is_causal and attn_mask is not None:
        raise Error("scaled_dot_product_attention: give attn_mask or is_causal, not both.")
    if enable_gqa:
        heads = query.shape[-3]
        key, value = (_to_heads(x, heads // x.shape[-3]) for x in (key, value))
    mask = attn_mask
    if is_causal:
        shape = (query.shape[-2], key.shape[-2])
        mask = torch.ones(shape, dtype=torch.bool, device=query.device).triu(1)
    elif mask is not None and mask.dtype == torch.bool:
        mask = mask.logical_not()
    weights = _weights(query, key, mask, scale)
    if dropout_p > 0:
        weights = F.dropout(weights, dropout_p)
    return torch.matmul(weights, value)


def _to_heads(x: Tensor, times: int) -> Tensor:
    return x if times == 1 else x.repeat_interleave(times, -3)


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """What of each value each query gets; in a bool mask, True is left out."""
    query = query * (query.shape[-1] ** -0.5 if scale is None else scale)
    scores = torch.matmul(query, key.transpose(-2, -1))
    return torch.softmax(scores, -1) if mask is None else masked_softmax(scores, mask)


class _Steps(NamedTuple):
    """What attention of several heads is made of. Weights are [out, in], `out` is a call."""

    num_heads: int
    weights: tuple[Tensor, Tensor, Tensor]
    biases: tuple[Tensor | None, Tensor | None, Tensor | None]
    out: Callable[[Tensor], Tensor]
    more_keys: Tensor | None  # bias_k, [1, 1, E]
    more_values: Tensor | None
    add_zero_attn: bool
    dropout_p: float

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """[N, L, E] and [N, S, E] to the result [N, L, E] and the weights [N, H, L, S]."""
        inputs = zip((query, key, value), self.weights, self.biases, strict=True)
        query, key, value = (F.linear(x, weight, bias) for x, weight, bias in inputs)
        key, mask = self._with_row(key, self.more_keys, mask)
        value, _ = self._with_row(value, self.more_values, None)
        query, key, value = (self._heads(x) for x in (query, key, value))
        if self.add_zero_attn:
            shape = (*key.shape[:2], 1, key.shape[-1])
            zeros = torch.zeros(shape, dtype=key.dtype, device=key.device)
            key, value = torch.cat([key, zeros], 2), torch.cat([value, zeros], 2)
            mask = None if mask is None else F.pad(mask, (0, 1))
        weights = _weights(query, key, mask, None)
        if self.dropout_p > 0:
            weights = F.dropout(weights, self.dropout_p)
        result = torch.matmul(weights, value).transpose(1, 2).flatten(2)
        return self.out(result), weights

    def _with_row(
        self, x: Tensor, row: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """One more key or value, which no mask leaves out."""
        if row is None:
            return x, mask
        x = torch.cat([x, row.expand(x.shape[0], -1, -1)], 1)
        return x, None if mask is None else F.pad(mask, (0, 1))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


def _attention(
    steps: _Steps,
    inputs: tuple[Tensor, Tensor, Tensor],
    batch_first: bool,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    need_weights: bool,
    average_attn_weights: bool,
) -> tuple[Tensor, Tensor | None]:
    """With or without a batch, in either order of axes."""
    is_batched = inputs[0].dim() == 3
    _check(inputs, key_padding_mask, attn_mask)
    if not is_batched:
        inputs = tuple(x.unsqueeze(0) for x in inputs)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    elif not batch_first:
        inputs = _each_once(lambda x: x.transpose(0, 1), inputs)
    mask = _merged(key_padding_mask, attn_mask, steps.num_heads)
    result, weights = steps.attend(*inputs, mask)
    if need_weights and average_attn_weights:
        weights = weights.mean(1)
    if not is_batched:
        result, weights = result.squeeze(0), weights.squeeze(0)
    elif not batch_first:
        result = result.transpose(0, 1)
    return result, weights if need_weights else None


def _each_once(change: Callable[[Tensor], Tensor], tensors: tuple[Tensor, ...]) -> tuple:
    """Changed, where one that comes twice stays one."""
    changed = {id(tensor): change(tensor) for tensor in tensors}
    return tuple(changed[id(tensor)] for tensor in tensors)


def _check(
    inputs: tuple[Tensor, ...], key_padding_mask: Tensor | None, attn_mask: Tensor | None
) -> None:
    axes = {x.dim() for x in inputs}
    if axes not in ({2}, {3}):
        raise Error(
            "MultiheadAttention: query, key and value need 3 axes each, or 2 without a batch, not "
            f"{', '.join(str(x.dim()) for x in inputs)}."
        )
    if key_padding_mask is not None and {key_padding_mask.dim() + 1} != axes:
        raise Error("MultiheadAttention: key_padding_mask needs one axis less than key.")
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise Error("MultiheadAttention: attn_mask needs the shape (L, S) or (N * heads, L, S).")
    for mask in (key_padding_mask, attn_mask):
        if mask is not None and mask.dtype != torch.bool and not mask.dtype.is_floating_point:
            raise Error(f"MultiheadAttention: a mask is bool or float, not {mask.dtype}.")


def _merged(
    key_padding_mask: Tensor | None, attn_mask: Tensor | None, num_heads: int
) -> Tensor | None:
    """Both as one, broadcast to [N, H, L, S]; of one float, what the other leaves out is -inf."""
    masks = []
    if attn_mask is not None:
        masks.append(attn_mask if attn_mask.dim() == 2 else attn_mask.unflatten(0, (-1, num_heads)))
    if key_padding_mask is not None:
        masks.append(key_padding_mask.unsqueeze(1).unsqueeze(1))
    if len(masks) < 2:
        return masks[0] if masks else None
    first, second = masks
    if first.dtype == second.dtype == torch.bool:
        return first.logical_or(second)
    if torch.bool not in (first.dtype, second.dtype):
        return first + second
    numbers, left_out = (second, first) if first.dtype == torch.bool else (first, second)
    return torch.where(left_out, -math.inf, numbers)


class MultiheadAttention(nn.MultiheadAttention):
    """torch.nn.MultiheadAttention with the same parameters, arguments and results, in steps.

    `_generated_linear_0` to `_2` project query, key and value, `_generated_mul_0` scales the query,
    `_generated_matmul_0` gives scores, `_generated_softmax_0` (`_generated_masked_softmax_0` where
    there is a mask) weights, `_generated_matmul_1` the result, which `out_proj` projects.
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As torch.nn.MultiheadAttention; `is_causal` is no more than a hint that needs a mask."""
        _needs_mask(is_causal, attn_mask)
        steps = _Steps(
            self.num_heads,
            _thirds(self.in_proj_weight)
            if self._qkv_same_embed_dim
            else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight),
            _thirds(self.in_proj_bias),
            self.out_proj,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout if self.training else 0.0,
        )
        return _attention(
            steps,
            (query, key, value),
            self.batch_first,
            key_padding_mask,
            attn_mask,
            need_weights,
            average_attn_weights,
        )


def _needs_mask(is_causal: bool, attn_mask: Tensor | None) -> None:
    if is_causal and attn_mask is None:
        raise Error(
            "MultiheadAttention: is_causal only says what attn_mask is; give the mask, too: "
            "nn.Transformer.generate_square_subsequent_mask makes it."
        )


def _thirds(packed: Tensor | None) -> tuple:
    return (None, None, None) if packed is None else packed.chunk(3)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """torch.nn.functional's function of that name: [L, N, E] or [L, E]."""
    if static_k is not None or static_v is not None:
        raise Error("multi_head_attention_forward: static_k and static_v are not there.")
    _needs_mask(is_causal, attn_mask)
    steps = _Steps(
        num_heads,
        (q_proj_weight, k_proj_weight, v_proj_weight)
        if use_separate_proj_weight
        else _thirds(in_proj_weight),
        _thirds(in_proj_bias),
        lambda x: F.linear(x, out_proj_weight, out_proj_bias),
        bias_k,
        bias_v,
        add_zero_attn,
        dropout_p if training else 0.0,
    )
    inputs = (query, key, value)
    masks = (key_padding_mask, attn_mask)
    return _attention(steps, inputs, False, *masks, need_weights, average_attn_weights)


class TransformerEncoderLayer(nn.TransformerEncoderLayer):
    """torch.nn.TransformerEncoderLayer that never takes the fused kernel, and hands masks on."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """As torch.nn.TransformerEncoderLayer."""

        def attend(x: Tensor) -> Tensor:
            return self._sa_block(x, src_mask, src_key_padding_mask, is_causal=is_causal)

        if self.norm_first:
            src = src + attend(self.norm1(src))
            return src + self._ff_block(self.norm2(src))
        src = self.norm1(src + attend(src))
        return self.norm2(src + self._ff_block(src))


class TransformerEncoder(nn.TransformerEncoder):
    """torch.nn.TransformerEncoder without nested tensors, which hands masks on as they are."""

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """As torch.nn.TransformerEncoder."""
        for layer in self.layers:
            src = layer(
                src,
                src_mask=mask,
                is_causal=bool(is_causal),
                src_key_padding_mask=src_key_padding_mask,
            )
        return src if self.norm is None else self.norm(src)


# Functions that a model may call, by what does the same in steps.
COMPOSITES: Mapping[Callable, Callable[..., Any]] = {
    F.scaled_dot_product_attention: scaled_dot_product_attention,
    F.multi_head_attention_forward: multi_head_attention_forward,
}

_IN_STEPS = {
    nn.MultiheadAttention: MultiheadAttention,
    nn.TransformerEncoderLayer: TransformerEncoderLayer,
    nn.TransformerEncoder: TransformerEncoder,
}


def open_up(model: nn.Module) -> None:
    """Give the attention and encoders of torch.nn in `model` classes that compute in steps.

    The modules stay: parameters, buffers, hooks, attributes, names and modes are untouched. Classes
    derived from torch.nn's keep their own forward; encoders among them, too, take no fused kernel.
    """
    for module in model.modules():
        module.__class__ = _IN_STEPS.get(type(module), type(module))
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0  # which nothing but the fused kernel asks for
        elif isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = False
