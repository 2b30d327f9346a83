"""PrepareMethod.SYMBOLIC: what torch.fx finds is what a run would have found."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import qat_networks as networks
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from torch import nn
from twofold.fx.fx_helper import wrap
from twofold.fx.jit_scheme import Tracer
from twofold.nn.quantized import FloatFunctional
from twofold.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    PrepareMethod,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.qconfig_template import (
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)

SETTER = default_calibration_qconfig_setter


def quantizers(model):
    """{path: dtype}, in order."""
    found = [(n, m.dtype) for n, m in model.named_modules() if isinstance(m, FakeQuantize)]
    return dict(found), [name for name, _ in found]


@wrap()
def only_when_it_runs(x):
    return x * 2 if x.sum() < 1e9 else x


class Everything(nn.Module):
    """Every kind of call that a forward makes: [N,T,16] to [N,4]."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.qkv, self.norm, self.skip = nn.Linear(16, 48), nn.LayerNorm(16), FloatFunctional()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.gain = nn.Parameter(torch.randn(16))
        self.register_buffer("shift", torch.randn(16))
        self.out, self.last = nn.Linear(32, 4), nn.Linear(4, 4)

    def forward(self, x, mask=None, *, times=2):
        x = self.quant(x)
        batch, length, width = x.shape
        q, k, v = self.qkv(x).chunk(3, -1)
        q = q.reshape(batch, length, 2, width // 2).transpose(1, 2)
        k = k.reshape(batch, length, 2, -1).transpose(1, 2)
        v = v.view(batch, length, 2, 8).permute(0, 2, 1, 3)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = self.skip.add(x, y)
        z, _ = self.attention(self.norm(x), x, x)
        z = z * self.gain + self.shift
        if mask is not None:
            z = z * mask
        z = torch.cat([F.relu(z), only_when_it_runs(x)], -1)
        for _ in range(times):
            with Tracer.dynamic_block(self, "again"):
                z = torch.tanh(z) + z
        z = self.out(torch.where(z > 0, z, z * 0.1))
        z = torch.einsum("nic,njc->nij", z, z)[:, :, :4].mean(1)
        return self.dequant(self.last(z.clamp(-1, 1)))


def networks_of_all_kinds():
    torch.manual_seed(0)
    yield Everything().eval(), torch.randn(2, 6, 16)
    network = networks.make(networks.Residual, 2)
    yield network, networks.inputs_of(network)


@pytest.mark.parametrize("setter", [SETTER, calibration_8bit_weight_16bit_act_qconfig_setter])
@pytest.mark.parametrize("which", [0, 1])
def test_operators_dtypes_and_numbers_are_those_of_a_run(setter, which):
    network, x = list(networks_of_all_kinds())[which]
    models = [
        prepare(network, x, setter, PrepareMethod.JIT_STRIP),
        prepare(network, None, setter, PrepareMethod.SYMBOLIC),
        prepare(network, (x,), setter, "symbolic"),
    ]
    assert len(quantizers(models[0])[1]) > 10
    for model in models[1:]:
        assert quantizers(model) == quantizers(models[0])
    for model in models:
        set_fake_quantize(model, FakeQuantState.CALIBRATION)
        model(x)
        set_fake_quantize(model, FakeQuantState.QAT)
    expected = models[0](x)
    assert all(torch.equal(model(x), expected) for model in models[1:])


def test_names_hold_in_the_spelling_of_symbolic_tracing():
    network, _ = next(networks_of_all_kinds())
    from twofold.dtype import qint16
    from twofold.quantization import get_qconfig
    from twofold.quantization.qconfig_template import ModuleNameQconfigSetter

    wide = get_qconfig(out_dtype=qint16)
    names = {"attention_generated_matmul_0": wide, "_generated_mul_1": wide}
    model = prepare(network, None, (ModuleNameQconfigSetter(names), SETTER), "symbolic")
    for name in ("attention._generated_matmul_0", "_generated_mul_1"):
        assert model.get_submodule(name).activation_post_process.dtype == qint16


def test_a_target_decides_without_shapes():
    from twofold.dtype import qint16
    from twofold.quantization import get_qconfig
    from twofold.quantization.observer_v2 import MinMaxObserver
    from twofold.quantization.qconfig_template import ModuleNameQconfigSetter

    wide = get_qconfig(MinMaxObserver, qint16, qint16, qint16)
    network, x = networks.make(networks.Residual), None
    for target, dtype in (("cpu", "qint16"), ("journey6-oe3.2", "ec"), ("journey6-oe3.1", "qint8")):
        setter = ModuleNameQconfigSetter({"": wide})
        model = prepare(network, x, setter, "symbolic", target=target)
        assert model.body[0][0].weight_fake_quant.dtype == dtype


class ByValue(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        y = self.layer(x)
        if y.sum() > -1e9:
            y = y * 2
        return y


class ByLoop(ByValue):
    def forward(self, x):
        return torch.stack([row * 2 for row in self.layer(x)])


@pytest.mark.parametrize("given", [None, torch.zeros(2, 4)])
@pytest.mark.parametrize(("kind", "offset"), [(ByValue, 2), (ByLoop, 1)])
def test_what_cannot_be_traced_is_named_with_its_line(kind, offset, given):
    line = kind.forward.__code__.co_firstlineno + offset
    with pytest.raises(twofold.Error, match=rf"test_symbolic.py:{line}: torch.fx cannot trace"):
        prepare(kind().eval(), given, SETTER, "symbolic")
    model = prepare(kind().eval(), torch.zeros(2, 4), SETTER)
    assert "_generated_mul_0" in dict(model.named_modules())


def test_an_untraced_function_is_one_call_that_is_not_looked_into():
    class Wrapped(ByValue):
        def forward(self, x):
            return self.layer(only_when_it_runs(self.layer(x)))

    torch.manual_seed(0)
    network, x = Wrapped().eval(), torch.randn(2, 4)
    model = prepare(network, None, SETTER, "symbolic")
    assert not any("mul" in name for name, _ in model.named_modules())
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x).dequantize(), network(x))


def test_arguments_without_a_default_are_what_is_traced():
    class Two(ByValue):
        def forward(self, x, y, scale=None, *, also):
            z = self.layer(x) + self.layer(y)
            return z * scale if scale is not None else z + also

    model = prepare(Two().eval(), None, SETTER, "symbolic")
    assert {"_generated_add_0", "_generated_add_1"} <= {n for n, _ in model.named_modules()}
    assert "_generated_mul_0" not in dict(model.named_modules())


def test_the_model_stays_what_it_was():
    network, x = next(networks_of_all_kinds())
    before = copy.deepcopy(network.state_dict())
    prepare(network, None, SETTER, "symbolic")
    assert type(network.qkv) is nn.Linear and not network._forward_pre_hooks
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert len(Path("fx_graph.txt").read_text().splitlines()) > 40


def test_torch_fx_of_the_user_goes_on_working():
    """A function that was wrapped is a leaf for the tracer of torch.fx, too."""
    graph = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 4)))
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "output"]

    class Wrapped(nn.Module):
        def forward(self, x):
            return only_when_it_runs(x) + 1

    targets = [n.target for n in torch.fx.symbolic_trace(Wrapped()).graph.nodes]
    assert only_when_it_runs in targets


def test_a_wrong_method_lists_the_right_ones():
    with pytest.raises(ValueError, match="no method 'fx'; .*eager.*symbolic.*jit-strip"):
        prepare(ByValue(), None, SETTER, "fx")


@pytest.mark.parametrize("method", ["jit", "jit-strip"])
def test_methods_that_run_the_model_need_inputs(method):
    with pytest.raises(twofold.Error, match=f"{method}: give it example_inputs"):
        prepare(ByValue(), None, SETTER, method)


def test_lines_are_those_of_the_users_script(tmp_path):
    """Also where nothing around it is a test's."""
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n"
        "from twofold.quantization import prepare, qconfig_template\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x if bool(x.sum()) else -x\n"
        "prepare(Net(), None, qconfig_template.default_qat_qconfig_setter, 'symbolic')\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert re.search(rf"Error: {re.escape(str(script))}:5: torch.fx cannot trace this", run.stderr)
