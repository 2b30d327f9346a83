"""Networks of many kinds, from prepare to the exported file."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from exact_onnxruntime import exact_session
from onnxruntime import GraphOptimizationLevel
from torch import nn
from twofold.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.agreement import agreement
from twofold.quantization.export import exported
from twofold.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)


class Stubs(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()


class InvertedResidual(nn.Module):
    """Depthwise, with squeeze and excitation."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        wide = inputs * expand
        self.conv = nn.Sequential(
            *(nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish()),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            *(nn.BatchNorm2d(wide), nn.ReLU6()),
        )
        self.gate = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, wide // 4, 1), nn.ReLU()),
            *(nn.Conv2d(wide // 4, wide, 1), nn.Hardsigmoid()),
        )
        self.project = nn.Sequential(
            nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.conv(x)
        y = self.project(y * self.gate(y))
        return x + y if self.adds else y


class Mobile(Stubs):
    shape = (3, 32, 32)

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU()),
            *(InvertedResidual(16, 16, 1, 2), InvertedResidual(16, 24, 2, 3)),
            InvertedResidual(24, 24, 1, 3),
        )
        self.drop, self.classes = nn.Dropout(0.2), nn.Linear(24, 10)

    def forward(self, x):
        return self.dequant(self.classes(self.drop(self.features(self.quant(x)).mean([2, 3]))))


class Pyramid(Stubs):
    """Several scales, joined; outputs in a dict; one addition that nobody reads."""

    shape = (3, 32, 32)

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(i, o, 3, 2, 1) for i, o in ((3, 8), (8, 16), (16, 32)))
        self.lateral = nn.ModuleList(nn.Conv2d(i, 8, 1) for i in (8, 16, 32))
        self.heads = nn.ModuleList(nn.Conv2d(16 if i < 2 else 8, 5, 1) for i in range(3))
        self.pool = nn.MaxPool2d(3, 1, 1)

    def forward(self, x):
        a = F.relu(self.down[0](self.quant(x)))
        b = F.leaky_relu(self.down[1](a), 0.1)
        c = F.relu(self.down[2](b))
        features = [conv(t) for conv, t in zip(self.lateral, (a, b, c), strict=True)]
        up = features[2]
        found = {"p2": self.heads[2](self.pool(up))}
        for i in (1, 0):
            size = features[i].shape[-2:]
            nearest = i == 1
            up = (
                F.interpolate(up, scale_factor=2, mode="nearest")
                if nearest
                else F.interpolate(up, size=size, mode="bilinear", align_corners=False)
            )
            found[f"p{i}"] = self.heads[i](torch.cat([features[i], up], dim=1))
            up = up + features[i]
        return {
            name: self.dequant(torch.sigmoid(y)).flatten(2).permute(0, 2, 1)
            for name, y in found.items()
        }


class Causal(Stubs):
    """scaled_dot_product_attention, as one call."""

    shape = (6, 16)

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(16, 16) for _ in range(4))
        self.norm = nn.RMSNorm(16)

    def forward(self, x):
        x = self.quant(x)
        normal = self.norm(x)
        batch, length, width = normal.shape
        q, k, v = (
            layer(normal).view(batch, length, 2, 8).transpose(1, 2)
            for layer in (self.q, self.k, self.v)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.dequant(x + self.out(y.transpose(1, 2).reshape(batch, length, width)))


class Segmentation(Stubs):
    """Normalizations of single samples, a transposed convolution, two outputs."""

    shape = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.PReLU(8)
        )
        self.down = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.GroupNorm(4, 16), nn.ELU())
        self.up, self.out = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = self.first(self.quant(x))
        y = self.out(torch.cat((a, self.up(self.down(a))), 1)).softmax(1)
        return self.dequant(y), self.dequant(a.amax((2, 3)))


class Temporal(Stubs):
    shape = (4, 20)

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(4, 8, 5, padding=2), nn.BatchNorm1d(8)
        self.gate = nn.Conv1d(8, 8, 3, dilation=2, padding=2, groups=8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        y = torch.tanh(self.norm(self.conv(self.quant(x))))
        y = y * torch.sigmoid(self.gate(y))
        return self.dequant(self.out(torch.stack([y.max(-1).values, y.mean(-1)], 1)))


KINDS = [Mobile, Pyramid, Causal, Segmentation, Temporal]


def flat(outputs):
    """All outputs in a row."""
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    return torch.cat([y.flatten() for y in (outputs if isinstance(outputs, tuple) else [outputs])])


@pytest.mark.parametrize("kind", KINDS)
def test_calibrated_trained_validated_and_exported(kind):
    torch.manual_seed(0)
    network, x = kind().eval(), torch.randn(2, *kind.shape)
    expected = flat(network(x)).detach()
    calibrated = prepare(network, (x,), default_calibration_qconfig_setter)
    set_fake_quantize(calibrated, FakeQuantState._FLOAT)
    torch.testing.assert_close(flat(calibrated(x)).detach(), expected, rtol=1e-5, atol=1e-6)
    set_fake_quantize(calibrated, FakeQuantState.CALIBRATION)
    calibrated(x)

    model = prepare(network, (x,), default_qat_qconfig_setter)
    model.load_state_dict(calibrated.state_dict())
    set_fake_quantize(model.train(), FakeQuantState.QAT)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        flat(model(x)).square().mean().backward()
        optimizer.step()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []

    set_fake_quantize(model.eval(), FakeQuantState.VALIDATION)
    validated = flat(model(x)).detach().numpy()
    assert [row for row in agreement(model, (x,)) if row.equal < 1] == []
    noise = np.square(validated - expected.numpy()).sum()
    assert 10 * np.log10(np.square(expected.numpy()).sum() / noise) > 25  # dB
    file = exported(model, (x,))
    feed = {"input_0": x.numpy()}
    engine = np.concatenate([y.ravel() for y in file.session().run(feed).values()])
    assert np.array_equal(engine, validated)
    runtime = exact_session(file.onnx, GraphOptimizationLevel.ORT_ENABLE_ALL).run(None, feed)
    # Float operators in between have other last bits there, and some integers with them.
    close = np.abs(np.concatenate([y.ravel() for y in runtime]) - validated)
    assert close.max() <= 0.03 * np.abs(validated).max()
