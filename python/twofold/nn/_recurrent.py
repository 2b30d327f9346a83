"""LSTM and GRU in separate steps, each an operator that can be quantized by itself.

torch.nn's call kernels that do everything at once. `open_up_recurrent` puts the classes of this
file in their place, in the model as it is. The steps of a layer share their operators, however many
there are: in `steps_l0` (`steps_l0_reverse`), `_generated_linear_0` takes the input,
`_generated_linear_1` and, of a GRU, `_generated_linear_2` the state.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .._twofold import Error
from ..quantization._record.blocks import dynamic_block

# Weights and biases of a layer and direction: W_ih, W_hh, b_ih, b_hh.
Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]


def _lstm_input(x: Tensor, weights: Weights) -> Tensor:
    """What x gives to the gates, both biases included: [..., I] to [..., 4 H]."""
    w_ih, _, b_ih, b_hh = weights
    return F.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)


def _lstm_step(gates: Tensor, state: Sequence[Tensor], weights: Weights) -> tuple[Tensor, Tensor]:
    h, c = state
    i, f, g, o = (gates + F.linear(h, weights[1])).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _gru_input(x: Tensor, weights: Weights) -> Tensor:
    """[..., I] to [..., 3 H], with the biases of the first two gates."""
    w_ih, _, b_ih, b_hh = weights
    if b_ih is None:
        return F.linear(x, w_ih)
    size = w_ih.shape[0] // 3 * 2
    return F.linear(x, w_ih, b_ih + torch.cat([b_hh[:size], torch.zeros_like(b_hh[size:])]))


def _gru_step(gates: Tensor, state: Sequence[Tensor], weights: Weights) -> tuple[Tensor]:
    (h,) = state
    _, w_hh, _, b_hh = weights
    size = w_hh.shape[0] // 3
    both, new = gates[..., : 2 * size], gates[..., 2 * size :]
    r, z = torch.sigmoid(both + F.linear(h, w_hh[: 2 * size])).chunk(2, -1)
    bias = None if b_hh is None else b_hh[2 * size :]
    n = torch.tanh(new + r * F.linear(h, w_hh[2 * size :], bias))
    return (n + z * (h - n),)


class _Steps:
    """A layer that runs over a sequence, mixed into nn.LSTM and nn.GRU."""

    _states: int  # 2 of an LSTM, h and c; 1 of a GRU
    _input: Callable[[Tensor, Weights], Tensor]
    _step: Callable[[Tensor, Sequence[Tensor], Weights], tuple[Tensor, ...]]

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, Any]:
        """As torch.nn's; twofold.Error for packed sequences and projections."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise Error(f"{name}: packed sequences are not taken; give a padded tensor")
        if self.proj_size:
            raise Error(f"{name}: proj_size is not there; project with a Linear behind")
        is_batched = input.dim() == 3
        time = 1 if self.batch_first and is_batched else 0
        steps = list(input.unbind(time))
        given = () if hx is None else (hx if isinstance(hx, tuple) else (hx,))
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                steps = [F.dropout(x, self.dropout, self.training) for x in steps]
            ways = []
            for reverse in (False, True)[: 1 + self.bidirectional]:
                state = [part[len(last)] for part in given] or self._zeros(steps[0])
                outputs, state = self._run(steps, state, f"l{layer}" + "_reverse" * reverse)
                ways.append(outputs)
                last.append(state)
            steps = self._joined(ways, f"both_l{layer}") if self.bidirectional else ways[0]
        states = tuple(torch.stack(parts) for parts in zip(*last, strict=True))
        return torch.stack(steps, time), states if self._states == 2 else states[0]

    def _joined(self, ways: list[list[Tensor]], name: str) -> list[Tensor]:
        """Both directions, step by step."""
        steps = []
        for both in zip(*ways, strict=True):
            with dynamic_block(self, name):
                steps.append(torch.cat(both, -1))
        return steps

    def _zeros(self, x: Tensor) -> list[Tensor]:
        shape = (*x.shape[:-1], self.hidden_size)
        return [torch.zeros(shape, dtype=torch.float32, device=x.device)] * self._states

    def _run(
        self, steps: list[Tensor], state: Sequence[Tensor], name: str
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """One direction of a layer: the outputs in the order of the input, and the last state."""
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = tuple(getattr(self, f"{part}_{name}", None) for part in parts)
        outputs = []
        for x in reversed(steps) if name.endswith("reverse") else steps:
            with dynamic_block(self, f"steps_{name}"):
                state = type(self)._step(type(self)._input(x, weights), state, weights)
            outputs.append(state[0])
        if name.endswith("reverse"):
            outputs.reverse()
        return outputs, tuple(state)


class LSTM(_Steps, nn.LSTM):
    """torch.nn.LSTM with the same parameters, arguments and results, in steps."""

    _states, _input, _step = 2, staticmethod(_lstm_input), staticmethod(_lstm_step)


class GRU(_Steps, nn.GRU):
    """torch.nn.GRU with the same parameters, arguments and results, in steps."""

    _states, _input, _step = 1, staticmethod(_gru_input), staticmethod(_gru_step)


class LSTMCell(nn.LSTMCell):
    """torch.nn.LSTMCell in steps."""

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        """As torch.nn.LSTMCell: [N, I] or [I]."""
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        state = (_zeros(self, input), _zeros(self, input)) if hx is None else hx
        return _lstm_step(_lstm_input(input, weights), state, weights)


class GRUCell(nn.GRUCell):
    """torch.nn.GRUCell in steps."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """As torch.nn.GRUCell: [N, I] or [I]."""
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        state = _zeros(self, input) if hx is None else hx
        return _gru_step(_gru_input(input, weights), (state,), weights)[0]


def _zeros(cell: nn.Module, x: Tensor) -> Tensor:
    shape = (*x.shape[:-1], cell.hidden_size)
    return torch.zeros(shape, dtype=torch.float32, device=x.device)


_IN_STEPS = {nn.LSTM: LSTM, nn.GRU: GRU, nn.LSTMCell: LSTMCell, nn.GRUCell: GRUCell}


def open_up_recurrent(model: nn.Module) -> None:
    """Give the LSTMs and GRUs of torch.nn in `model` classes that compute in steps."""
    for module in model.modules():
        module.__class__ = _IN_STEPS.get(type(module), type(module))
