"""Networks of the forms that QAT is about, small enough to be trained in a test."""

import torch
from torch import nn
from torch.ao.quantization import DeQuantStub
from twofold.quantization import QuantStub


def conv_block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Conv, BatchNorm with statistics that are not those of a new one, ReLU in place."""
    norm = nn.BatchNorm2d(outputs)
    nn.init.normal_(norm.running_mean, 0, 0.2)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    nn.init.uniform_(norm.weight, 0.5, 2)
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(conv, norm, nn.ReLU(inplace=True))


class Residual(nn.Module):
    """[N,3,16,16] to [N,8]: a stem, `depth` convolutions with an addition around each, a head."""

    def __init__(self, depth: int = 1, width: int = 16):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem = conv_block(3, width, 2)
        self.body = nn.ModuleList(conv_block(width, width) for _ in range(depth))
        self.head = nn.Conv2d(width, 8, 1)

    def forward(self, x):
        x = self.stem(self.quant(x))
        for block in self.body:
            x = block(x) * 0.5 + x
        return self.dequant(self.head(nn.functional.adaptive_avg_pool2d(x, 1))).flatten(1)


class Block(nn.Module):
    """A transformer's, attention written out: [N,T,32] to the same."""

    def __init__(self, width: int = 32):
        super().__init__()
        self.norm, self.qkv, self.proj = (
            nn.LayerNorm(width),
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
        )
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width)
        )

    def forward(self, x):
        parts = self.qkv(self.norm(x)).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in parts)
        attention = torch.softmax(torch.matmul(q * 8**-0.5, k.transpose(-2, -1)), -1)
        x = x + self.proj(torch.matmul(attention, v).transpose(1, 2).flatten(2))
        return x + self.mlp(x)


class Transformer(nn.Module):
    """[N,16,17] to [N,6]."""

    def __init__(self, blocks: int = 2):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.emb, self.head = nn.Linear(17, 32), nn.Linear(32, 6)
        self.blocks = nn.Sequential(*(Block() for _ in range(blocks)))

    def forward(self, x):
        return self.dequant(self.head(self.blocks(self.emb(self.quant(x))).mean(1)))


def make(kind: type[nn.Module], *arguments: int, seed: int = 0) -> nn.Module:
    """The network in eval mode, with weights of this seed."""
    torch.manual_seed(seed)
    return kind(*arguments).eval()


def inputs_of(network: nn.Module, count: int = 4, seed: int = 1) -> torch.Tensor:
    """A batch that it takes."""
    random = torch.Generator().manual_seed(seed)
    shape = (3, 16, 16) if isinstance(network, Residual) else (16, 17)
    return torch.randn(count, *shape, generator=random)
