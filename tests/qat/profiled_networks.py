"""Networks with one planted fault, prepared and calibrated, for tests of the profiler."""

import copy

import torch
from torch import nn
from torch.ao.quantization import DeQuantStub
from twofold.dtype import qint8
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import FixedScaleObserver
from twofold.quantization.qconfig import QConfig
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_calibration_qconfig_setter,
)


class Net(nn.Module):
    """[N,3,8,8] to [N,5]: three convolutions with BatchNorm and ReLU, one with a skip, a head."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.stem, self.body, self.tail = (_block(i, o) for i, o in ((3, 8), (8, 8), (8, 8)))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(self.quant(x))
        x = self.tail(self.body(x) + x)
        return self.dequant(self.head(x.mean((2, 3))))


def _block(inputs, outputs):
    norm = nn.BatchNorm2d(outputs)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    nn.init.normal_(norm.running_mean, 0, 0.1)
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), norm, nn.ReLU(inplace=True))


def float_net(seed=0):
    torch.manual_seed(seed)
    return Net().eval()


def samples(count=6, seed=1):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 3, 8, 8, generator=random) for _ in range(count)]


def validated(network, *setters, data=None, method="jit-strip"):
    """The network prepared with these setters before the default one, calibrated, in VALIDATION."""
    data = samples() if data is None else data
    setter = (*setters, default_calibration_qconfig_setter)
    model = prepare(copy.deepcopy(network), data[0], setter, method)
    set_fake_quantize(model.eval(), FakeQuantState.CALIBRATION)
    for x in data:
        model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def fixed(scale, dtype=qint8):
    """A qconfig whose output has this scale."""
    made = FakeQuantize.with_args(observer=FixedScaleObserver, dtype=dtype, scale=scale)
    return QConfig(
        output=made, weight=FakeQuantize.with_args(qscheme=torch.per_channel_symmetric, ch_axis=0)
    )


def clipped(name="body.0", scale=0.001):
    """A network in which the output of one layer is clipped at 127 times this scale."""
    network = float_net()
    return network, validated(network, ModuleNameQconfigSetter({name: fixed(scale)}))


def with_outlier():
    """A network in which one number makes the int8 steps of its weight's channel too coarse."""
    network = float_net()
    with torch.no_grad():
        network.head.weight[2, 3] = 60.0
    return network, validated(network)


def output_of(network, name, x):
    """What a module of a float network gives, before anything changes it in place."""
    seen = []
    module = network.get_submodule(name)
    hook = module.register_forward_hook(lambda m, args, y: seen.append(y.detach().clone()))
    with torch.no_grad():
        network(x)
    hook.remove()
    return seen[0]
