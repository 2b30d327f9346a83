"""Activations: every function and module, with parameters at and off their defaults."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from ops_cases import bound_call, check_call, check_module, onnx_of
from torch import nn
from twofold.quantization._ops import OPS_BY_NAME, bind_function
from twofold.quantization._ops.activations import CLAMPS

# exp, tanh and erf, which each library approximates in its own way, and differences with them that
# cancel: x (1 + erf(x / sqrt 2)) loses |x| 2^-24, where x is -20 at most.
APPROXIMATE = {"rtol": 3e-6, "atol": 2e-6}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def wide(*shape):
    """Numbers on both sides of every knee, and far from them."""
    return torch.randn(*(shape or (2, 6, 5))) * 6


# By operator: how it is called, its modules, and whether it is exact in every library.
SPELLINGS = {
    "relu": (
        [torch.relu, F.relu, torch.relu_, F.relu_, lambda x: x.relu(), lambda x: x.relu_()]
        + [lambda x: F.relu(x, True), lambda x: F.relu(x, inplace=True)],
        [nn.ReLU(), nn.ReLU(inplace=True)],
        True,
    ),
    "relu6": (
        [F.relu6, lambda x: F.relu6(x, inplace=True)],
        [nn.ReLU6(), nn.ReLU6(True)],
        True,
    ),
    "hardtanh": (
        [F.hardtanh, F.hardtanh_, lambda x: F.hardtanh(x, -2, 3, True)]
        + [lambda x: F.hardtanh(x, min_val=0.25, max_val=4.5)],
        [nn.Hardtanh(), nn.Hardtanh(-3, 0.5, inplace=True)],
        True,
    ),
    "clamp": (
        [
            lambda x: torch.clamp(x, 0, 1),
            lambda x: torch.clip(x, -1.5, 2),
            lambda x: x.clamp(min=0.3),
            lambda x: x.clamp(max=0.3),
            lambda x: x.clip(None, 2.0),
            lambda x: x.clamp_(-1, 1),
            lambda x: x.clamp_min(0),
            lambda x: x.clamp_max_(1),
            lambda x: torch.clamp_min(x, 0.5),
            lambda x: torch.clamp_max(x, max=0.5),
            lambda x: torch.clamp(x, 2, -2),
        ],
        [],
        True,
    ),
    "leaky_relu": (
        [F.leaky_relu, F.leaky_relu_, lambda x: F.leaky_relu(x, 0.3, True)]
        + [lambda x: F.leaky_relu(x, negative_slope=-0.2)],
        [nn.LeakyReLU(), nn.LeakyReLU(0.2, inplace=True)],
        True,
    ),
    "elu": (
        [F.elu, F.elu_, lambda x: F.elu(x, 0.5), lambda x: F.elu(x, alpha=2.0, inplace=True)],
        [nn.ELU(), nn.ELU(0.3, True)],
        False,
    ),
    "celu": (
        [F.celu, torch.celu, torch.celu_, lambda x: F.celu(x, 0.5)],
        [nn.CELU(), nn.CELU(1.7)],
        False,
    ),
    "selu": ([F.selu, torch.selu, torch.selu_, lambda x: F.selu(x, True)], [nn.SELU()], False),
    "gelu": (
        [F.gelu, lambda x: F.gelu(x, approximate="tanh")],
        [nn.GELU(), nn.GELU("tanh")],
        False,
    ),
    "silu": ([F.silu, lambda x: F.silu(x, inplace=True)], [nn.SiLU(), nn.SiLU(True)], False),
    "mish": ([F.mish, lambda x: F.mish(x, True)], [nn.Mish()], False),
    "sigmoid": (
        [torch.sigmoid, F.sigmoid, torch.special.expit, torch.sigmoid_]
        + [lambda x: x.sigmoid(), lambda x: x.sigmoid_()],
        [nn.Sigmoid()],
        False,
    ),
    "logsigmoid": ([F.logsigmoid], [nn.LogSigmoid()], False),
    "hardsigmoid": ([F.hardsigmoid, lambda x: F.hardsigmoid(x, True)], [nn.Hardsigmoid()], False),
    "hardswish": ([F.hardswish, lambda x: F.hardswish(x, True)], [nn.Hardswish()], False),
    "tanh": (
        [torch.tanh, F.tanh, torch.tanh_, lambda x: x.tanh(), lambda x: x.tanh_()],
        [nn.Tanh()],
        False,
    ),
    "softplus": (
        [F.softplus, lambda x: F.softplus(x, 2.0), lambda x: F.softplus(x, beta=0.5, threshold=4)]
        + [lambda x: F.softplus(x, 1, 2)],
        [nn.Softplus(), nn.Softplus(3.0, 5.0)],
        False,
    ),
    "softsign": ([F.softsign], [nn.Softsign()], False),
    "threshold": (
        [lambda x: F.threshold(x, 0.1, 20), lambda x: torch.threshold(x, -1, -3)]
        + [lambda x: F.threshold(x, 0.5, value=0.0, inplace=True)]
        + [lambda x: F.threshold_(x, 0.5, 1.0)],
        [nn.Threshold(0.1, 2.0), nn.Threshold(-0.5, 0.0, inplace=True)],
        True,
    ),
}


def all_calls():
    return [(op, call) for op, (calls, _, _) in SPELLINGS.items() for call in calls]


def all_modules():
    return [(op, module) for op, (_, modules, _) in SPELLINGS.items() for module in modules]


def tolerance(op):
    return {} if SPELLINGS[op][2] else APPROXIMATE


@pytest.mark.parametrize(("op", "call"), all_calls())
def test_calls(op, call):
    for x in (wide(), wide(7), torch.tensor([0.0, -0.0, 1e-30, -1e-30, 100.0, -100.0])):
        check_call(call, x, op=op, **tolerance(op))


@pytest.mark.parametrize(("op", "module"), all_modules(), ids=str)
def test_modules(op, module):
    check_module(module, wide(), op=op, **tolerance(op))
    check_module(module, wide(1, 3), op=op, **tolerance(op))


def test_modules_take_their_input_by_name():
    check_module_by_name = OPS_BY_NAME["gelu"].modules[nn.GELU]
    x = wide()
    assert check_module_by_name(nn.GELU(), (), {"input": x}).inputs[0] is x


def test_nan_stays():
    x = torch.tensor([float("nan"), 1.0])
    for call, op in ((torch.relu, "relu"), (F.relu6, "relu6"), (torch.sigmoid, "sigmoid")):
        check_call(call, x, op=op, **APPROXIMATE)
    check_call(lambda x: F.threshold(x, 0.0, 1.0), x, op="threshold")
    check_call(lambda x: F.softplus(x, 1.0, 2.0), x, op="softplus", **APPROXIMATE)


def test_at_a_threshold():
    """A number that is just the threshold does not pass."""
    check_call(lambda x: F.threshold(x, 0.5, 7.0), torch.tensor([0.5, 0.50001]), op="threshold")


def test_logsigmoid_far_out():
    """log(sigmoid(x)) would be minus infinity."""
    check_call(F.logsigmoid, torch.tensor([-200.0, -1e4, 200.0]), op="logsigmoid", rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (2, 4, 6), (3, 4), (4,)])
@pytest.mark.parametrize("count", [1, 4])
def test_prelu(shape, count):
    if len(shape) == 1 and count > 1:
        return  # PyTorch has one channel there
    x, weight = wide(*shape), torch.rand(count)
    for call in (torch.prelu, F.prelu, lambda x, w: x.prelu(w)):
        check_call(call, x, weight, op="prelu", constants=[1])
    module = nn.PReLU(count)
    bound = check_module(module, x, op="prelu")
    assert bound.inputs[1] is module.weight
    assert OPS_BY_NAME["prelu"].quantized == (0,)


def test_clamps_by_tensors():
    x = wide(2, 3)
    low, high = torch.tensor([-1.0, 0.0, 0.5]), torch.tensor(2.0)
    check_call(lambda x, a, b: x.clamp(a, b), x, low, high, op="clamp")
    check_call(lambda x, a: torch.clamp(x, min=a), x, low, op="clamp")
    check_call(lambda x, b: torch.clamp(x, max=b), x, high, op="clamp")
    check_call(lambda x, b: torch.clamp(x, -1, b), x, high, op="clamp")


def test_clamps_of_integers():
    check_call(lambda x: x.clamp(-2, 3), torch.arange(-5, 6), op="clamp")


@pytest.mark.parametrize("op", sorted(CLAMPS))
def test_clamps_stand_alone(op):
    """What takes them over has their first input and attributes only."""
    for call in SPELLINGS[op][0]:
        _, bound = bound_call(call, [wide()])
        assert len(bound.inputs) == 1
        low, high = bound.attributes.get("min"), bound.attributes.get("max")
        x = wide()
        clamped = OPS_BY_NAME[op].compute([x], bound.attributes)
        bounds = {"relu": (0, None), "relu6": (0, 6)}.get(op, (low, high))
        assert torch.equal(clamped, x.clamp(*bounds))


SOFTMAXES = {
    "softmax": [
        lambda x: torch.softmax(x, -1),
        lambda x: torch.softmax(x, dim=1),
        lambda x: F.softmax(x, 0),
        lambda x: F.softmax(x, dim=-2, dtype=torch.float32),
        lambda x: x.softmax(-1),
        lambda x: x.softmax(dim=0, dtype=torch.float32),
        lambda x: torch.special.softmax(x, 1),
    ],
    "log_softmax": [
        lambda x: torch.log_softmax(x, -1),
        lambda x: F.log_softmax(x, dim=1),
        lambda x: x.log_softmax(0),
        lambda x: torch.special.log_softmax(x, 1),
    ],
    "softmin": [lambda x: F.softmin(x, -1), lambda x: F.softmin(x, dim=0)],
}


@pytest.mark.parametrize(
    ("op", "call"), [(op, call) for op, calls in SOFTMAXES.items() for call in calls]
)
def test_softmax(op, call):
    for x in (wide(2, 3, 7), wide(4, 5), wide(3, 2, 2, 9)):
        check_call(call, x, op=op, **APPROXIMATE)


@pytest.mark.parametrize(
    ("op", "module"),
    [
        ("softmax", nn.Softmax(dim=-1)),
        ("softmax", nn.Softmax(1)),
        ("softmax", nn.Softmax2d()),
        ("log_softmax", nn.LogSoftmax(dim=1)),
        ("softmin", nn.Softmin(dim=-3)),
    ],
    ids=str,
)
def test_softmax_modules(op, module):
    check_module(module, wide(2, 3, 4, 5), op=op, **APPROXIMATE)
    check_module(module, wide(3, 4, 5), op=op, **APPROXIMATE)


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_softmax_without_an_axis(shape):
    check_call(lambda x: F.softmax(x), wide(*shape), op="softmax", **APPROXIMATE)
    check_module(nn.Softmax(), wide(*shape), op="softmax", **APPROXIMATE)


def test_softmax_in_another_type():
    x = wide(3, 4)
    check_call(lambda x: x.softmax(-1, dtype=torch.float32), x.half(), op="softmax", **APPROXIMATE)
    _, bound = bound_call(lambda x: F.softmax(x, -1, dtype=torch.float32), [x])
    assert bound.attributes == {"dim": 1, "dtype": None}


@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_glu(dim):
    x = wide(4, 6, 2)
    check_call(lambda x: F.glu(x, dim), x, op="glu", **APPROXIMATE)
    check_module(nn.GLU(dim), x, op="glu", **APPROXIMATE)
    check_call(F.glu, x, op="glu", **APPROXIMATE)


def test_one_node_where_onnx_has_one():
    """Only then can integers stand on both sides of it without a sum of several plans."""
    one = ["relu", "relu6", "hardtanh", "leaky_relu", "elu", "celu", "selu", "gelu", "mish"]
    one += ["sigmoid", "hardsigmoid", "hardswish", "tanh", "softplus", "softsign"]
    for name in one:
        op, bound = bound_call(SPELLINGS[name][0][0], [wide()])
        graph = onnx_of(op, bound, bound.inputs).build().graph
        assert [node.name for node in graph.node] == ["call"]


@pytest.mark.parametrize(
    ("func", "args", "kwargs", "message"),
    [
        (F.leaky_relu, (torch.ones(2), 0.1, False, 3), {}, "leaky_relu: "),
        (F.gelu, (torch.ones(2),), {"approx": "tanh"}, "gelu: .*approx"),
        (F.threshold, (torch.ones(2),), {}, "threshold: .*threshold"),
        (torch.softmax, (torch.ones(2),), {}, "softmax: .*dim"),
    ],
)
def test_wrong_calls_name_the_operator(func, args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        bind_function(func, args, kwargs)


def test_wrong_values_name_the_operator():
    with pytest.raises(ValueError, match="clamp: give min"):
        bind_function(torch.clamp, (torch.ones(2),), {})
    with pytest.raises(ValueError, match="Softmax2d: "):
        OPS_BY_NAME["softmax"].modules[nn.Softmax2d](nn.Softmax2d(), (torch.ones(2, 2),), {})
