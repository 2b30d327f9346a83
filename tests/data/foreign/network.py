"""The float network whose quantized forms lie here, in PyTorch, with seeded random weights."""

import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as f


class Block(nn.Module):
    """Depthwise and pointwise convolution, squeeze and excitation, residual addition."""

    def __init__(self, c):
        super().__init__()
        self.depthwise, self.norm1 = (
            nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
            nn.BatchNorm2d(c),
        )
        self.pointwise, self.norm2 = nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c)
        self.squeeze, self.excite = nn.Conv2d(c, c // 4, 1), nn.Conv2d(c // 4, c, 1)

    def forward(self, x):
        y = f.hardswish(self.norm1(self.depthwise(x)))
        y = self.norm2(self.pointwise(y))
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        return torch.relu(x + y * gate)


class Network(nn.Module):
    """[1,3,32,32] to [1,10]; `attention` adds a ConvTranspose and an attention layer."""

    def __init__(self, attention=True):
        super().__init__()
        self.attention = attention
        self.stem, self.norm = (
            nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
        )
        self.block1, self.pool, self.block2 = Block(16), nn.MaxPool2d(2), Block(16)
        if attention:
            self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
            self.embed, self.layer_norm = nn.Linear(24, 32), nn.LayerNorm(32)
            self.q, self.k, self.v = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32 if attention else 16, 10)

    def forward(self, x):
        y = self.block1(f.relu6(self.norm(self.stem(x))))
        z = self.block2(self.pool(y))
        if not self.attention:
            return self.head(z.mean((2, 3)))
        tokens = torch.cat([y, self.up(z)], 1).flatten(2).transpose(1, 2)[:, ::4]
        tokens = self.layer_norm(f.gelu(self.embed(tokens)))
        scores = self.q(tokens) @ self.k(tokens).transpose(1, 2) / 32**0.5
        return self.head((tokens + torch.softmax(scores, -1) @ self.v(tokens)).mean(1))


def make_network(attention=True):
    torch.manual_seed(0)
    network = Network(attention)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
    return network.eval()


def samples():
    """The eight samples that all tools calibrate with, float32 [1,3,32,32]."""
    return list(np.random.default_rng(0).standard_normal((8, 1, 3, 32, 32)).astype(np.float32))


def export(network, path, opset=17):
    torch.onnx.export(
        network,
        (torch.from_numpy(samples()[0]),),
        path,
        input_names=["x"],
        output_names=["y"],
        opset_version=opset,
        dynamo=False,
    )


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    export(make_network(), folder / "float.onnx")
    export(make_network(attention=False), folder / "float_cnn.onnx", opset=13)
