"""Two float networks for digits, [N,1,28,28] in 0..1 to logits [N,10], with the stubs of QAT."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from twofold.quantization import DeQuantStub, QuantStub

from data import ZeroSum

OFFSET = 96


def conv_block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Conv without bias, "same" padding, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Easy(nn.Module):
    """Convolutions with a residual addition: int8 does it little harm."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem = conv_block(1, 16, 2)
        self.body = conv_block(16, 16)
        self.down = conv_block(16, 32, 2)
        self.head = nn.Conv2d(32, 10, 7)

    def forward(self, image: Tensor) -> Tensor:
        """Map [N,1,28,28] to [N,10]."""
        x = self.stem(self.quant(image))  # [N,16,14,14]
        x = self.down(self.body(x) + x)  # [N,32,7,7]
        return self.dequant(self.head(x)).flatten(1)


class Separable(nn.Module):
    """Depthwise and pointwise convolution; the former's filters sum to zero.

    Its input channels, those of the BatchNorm `before`, differ in scale by up to 8 times, and each
    sits OFFSET of its standard deviations above zero, which the filters do not see: what ruins
    depthwise layers in int8.
    """

    def __init__(self, before: nn.Module, inputs: int, outputs: int):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, groups=inputs, bias=False)
        self.norm = nn.BatchNorm2d(inputs)
        self.act = nn.Hardswish()
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        parametrize.register_parametrization(self.depthwise, "weight", ZeroSum())
        with torch.no_grad():
            deviations = 2.0 ** torch.linspace(0, -3, inputs)
            before.weight.copy_(deviations)
            before.bias.copy_(OFFSET * deviations)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N,inputs,H,W] to [N,outputs,H-2,W-2]."""
        x = self.act(self.norm(self.depthwise(x)))
        return self.relu(self.norm2(self.pointwise(x)))


class Hard(nn.Module):
    """A depthwise-separable network that int8 ruins."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem = conv_block(1, 16, 2)
        self.first = Separable(self.stem[1], 16, 32)
        self.pool = nn.MaxPool2d(2)
        self.second = Separable(self.first.norm2, 32, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Map [N,1,28,28] to [N,10]."""
        x = self.first(self.stem(self.quant(image)))  # [N,32,12,12]
        x = self.second(self.pool(x))  # [N,64,4,4]
        return self.dequant(self.head(x.mean((2, 3))))


def finished(net: nn.Module) -> nn.Module:
    """The trained network in eval mode, its weights plain parameters."""
    for module in net.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    return net.eval()
