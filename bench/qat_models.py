"""Networks to train, in the shapes of well-known ones, in plain PyTorch: they draw their weights from torch's seed."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    """ResNet's basic block: two convolutions, and a third where the shape changes."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu2 = nn.ReLU()
        self.down = None
        if before != after:
            self.down = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        short = x if self.down is None else self.down(x)
        return self.relu2(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))) + short)


class ResNet18(nn.Module):
    """[N, 3, H, W] to [N, 10]."""

    def __init__(self):
        super().__init__()
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        widths = pairwise([64, 64, 128, 256, 512])
        blocks = [(Residual(a, b, 1 + (a != b)), Residual(b, b, 1)) for a, b in widths]
        self.features = nn.Sequential(*stem, *(block for pair in blocks for block in pair))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(512, 10)

    def forward(self, x):
        return self.head(self.pool(self.features(x)).flatten(1))


class Attention(nn.Module):
    """Self-attention of three heads."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.size)).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = torch.softmax(torch.matmul(q * self.size**-0.5, k.transpose(-2, -1)), -1)
        return self.proj(torch.matmul(weights, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """A transformer's layer, norms first."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViTTiny(nn.Module):
    """[N, 3, 224, 224], patches of 16, to [N, 10]: 197 tokens of 192 numbers, 12 layers."""

    def __init__(self, width=192, layers=12, heads=3):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 197, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


def loss_of(model, batch):
    """The mean cross entropy."""
    x, labels = batch
    return F.cross_entropy(model(x), labels)
