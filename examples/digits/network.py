"""The digits network: small enough for a loop-only engine, built so that int8 visibly hurts it.

Edge networks lose accuracy in int8 mostly at a depthwise convolution near the input. This one has
the two properties that cause it, in one layer (`edges`):

* its input channels sit on an offset much larger than their signal and differ in scale by up to 8
  times, so one int8 scale for the whole tensor leaves the signal of some channels a few steps;
* its filters sum to zero, so they see the signal and not the offset. Rounding the weights breaks
  the zero, and the offset leaks through.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

STEM = 16
WIDTH = 32
TOKENS = 36
TOKEN = 48
HEADS = 2


class ZeroSum(nn.Module):
    """Parametrization: takes the mean out of each filter of a weight [C,1,K,K]."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return `weight` with every filter at zero sum."""
        return weight - weight.mean((1, 2, 3), keepdim=True)


def conv_norm(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Conv without bias, "same" padding, then BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Attention(nn.Module):
    """Multi-head self-attention over [B,TOKENS,TOKEN], spelled out as MatMul, Softmax, MatMul."""

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(TOKEN, TOKEN)
        self.key = nn.Linear(TOKEN, TOKEN)
        self.value = nn.Linear(TOKEN, TOKEN)
        self.project = nn.Linear(TOKEN, TOKEN)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,TOKENS,TOKEN] to the same shape."""

        def heads(y: Tensor) -> Tensor:
            return y.reshape(-1, TOKENS, HEADS, TOKEN // HEADS).transpose(1, 2)

        query, key, value = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        scores = torch.matmul(query * (TOKEN // HEADS) ** -0.5, key.transpose(2, 3))
        mixed = torch.matmul(torch.softmax(scores, dim=3), value)
        return self.project(mixed.transpose(1, 2).reshape(-1, TOKENS, TOKEN))


class DigitsNet(nn.Module):
    """[B,1,28,28] in 0..1 to logits [B,10]; 1.2 million multiply-accumulates per image."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(1, STEM, 3, stride=2)
        self.edges = nn.Conv2d(STEM, STEM, 3, groups=STEM, bias=False)
        parametrize.register_parametrization(self.edges, "weight", ZeroSum())
        self.edges_norm = nn.BatchNorm2d(STEM)
        self.widen = conv_norm(STEM, WIDTH, 1)
        self.depthwise = conv_norm(WIDTH, WIDTH, 3, groups=WIDTH)
        self.pointwise = conv_norm(WIDTH, WIDTH, 1)
        self.near = conv_norm(WIDTH, TOKEN // 2, 1)
        self.wide = conv_norm(WIDTH, TOKEN // 2, 3)
        self.norm1 = nn.LayerNorm(TOKEN)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(TOKEN)
        self.grow = nn.Linear(TOKEN, 2 * TOKEN)
        self.shrink = nn.Linear(2 * TOKEN, TOKEN)
        self.norm3 = nn.LayerNorm(TOKEN)
        self.head = nn.Linear(TOKEN, 10)
        self.relu = nn.ReLU()
        self.hard_swish = nn.Hardswish()
        self.gelu = nn.GELU()
        self.pool = nn.MaxPool2d(2)
        self._spread_stem()

    def _spread_stem(self) -> None:
        """Start the stem at standard deviations 1 to 1/8, each channel 64 of its own above zero."""
        norm = self.stem[1]
        with torch.no_grad():
            deviations = 2.0 ** torch.linspace(0, -3, STEM)
            norm.weight.copy_(deviations)
            norm.bias.copy_(64 * deviations)

    def forward(self, image: Tensor) -> Tensor:
        """Map [B,1,28,28] to [B,10]."""
        x = self.relu(self.stem(image))  # [B,16,14,14]
        x = self.hard_swish(self.edges_norm(self.edges(x)))  # [B,16,12,12]
        x = self.pool(self.relu(self.widen(x)))  # [B,32,6,6]
        x = x + self.pointwise(self.relu(self.depthwise(x)))
        x = self.hard_swish(x)
        x = torch.cat([self.near(x), self.relu(self.wide(x))], dim=1)  # [B,48,6,6]
        x = x.reshape(-1, TOKEN, TOKENS).transpose(1, 2)  # [B,36,48]
        x = x + self.attention(self.norm1(x))
        x = x + self.shrink(self.gelu(self.grow(self.norm2(x))))
        return self.head(self.norm3(x.mean(1)))
