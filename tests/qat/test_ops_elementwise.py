"""Arithmetic, functions of one number, comparisons and logic: every spelling, and its ONNX."""

import operator

import pytest
import torch
from ops_cases import bound_call, check_call, same_bits
from twofold.quantization._ops import OPS_BY_NAME, bind_function

# Functions that each library approximates in its own way, to a few units in the last place.
APPROXIMATE = {"rtol": 2e-6, "atol": 2e-7}
# x + alpha y, which PyTorch may round once and ONNX rounds twice.
ROUNDED_TWICE = {"rtol": 1e-6, "atol": 1e-6}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def iadd(x, y):
    x += y
    return x


def isub(x, y):
    x -= y
    return x


def imul(x, y):
    x *= y
    return x


def itruediv(x, y):
    x /= y
    return x


def ipow(x, y):
    x **= y
    return x


def cases(table):
    return [(op, call) for op, calls in table.items() for call in calls]


TWO_TENSORS = {
    "add": [
        lambda x, y: x + y,
        lambda x, y: torch.add(x, y),
        lambda x, y: x.add(other=y),
        lambda x, y: x.add_(y),
        lambda x, y: x.__radd__(y),
        iadd,
        operator.add,
    ],
    "sub": [
        lambda x, y: x - y,
        lambda x, y: torch.sub(input=x, other=y),
        lambda x, y: torch.subtract(x, y),
        lambda x, y: torch.rsub(x, y),
        lambda x, y: x.sub(y),
        lambda x, y: x.sub_(y),
        lambda x, y: x.subtract(y),
        lambda x, y: x.__rsub__(y),
        isub,
        operator.sub,
    ],
    "mul": [
        lambda x, y: x * y,
        lambda x, y: torch.mul(x, y),
        lambda x, y: torch.multiply(x, y),
        lambda x, y: x.mul(other=y),
        lambda x, y: x.mul_(y),
        lambda x, y: x.__rmul__(y),
        imul,
        operator.mul,
    ],
    "div": [
        lambda x, y: x / y,
        lambda x, y: torch.div(x, y),
        lambda x, y: torch.div(x, y, rounding_mode=None),
        lambda x, y: torch.divide(x, y),
        lambda x, y: torch.true_divide(x, y),
        lambda x, y: x.div(y),
        lambda x, y: x.div_(y),
        lambda x, y: x.true_divide(y),
        itruediv,
        operator.truediv,
    ],
    "maximum": [
        lambda x, y: torch.maximum(x, y),
        lambda x, y: torch.max(x, y),
        lambda x, y: torch.max(x, other=y),
        lambda x, y: x.max(y),
        lambda x, y: x.maximum(y),
    ],
    "minimum": [
        lambda x, y: torch.minimum(x, y),
        lambda x, y: torch.min(x, y),
        lambda x, y: x.min(y),
        lambda x, y: x.minimum(y),
    ],
}


@pytest.mark.parametrize(("op", "call"), cases(TWO_TENSORS))
@pytest.mark.parametrize(
    "shapes", [((2, 3, 4), (3, 1)), ((5,), (5,)), ((2, 1, 3, 1), ()), ((), ())]
)
def test_two_tensors(op, call, shapes):
    """One IEEE operation each, so that all three agree to the bit."""
    x, y = (torch.randn(shape) for shape in shapes)
    check_call(call, x, y, op=op)


@pytest.mark.parametrize(
    ("op", "call"),
    [
        ("add", lambda x, y: torch.add(x, y, alpha=3)),
        ("add", lambda x, y: x.add_(y, alpha=-0.3)),
        ("sub", lambda x, y: torch.sub(x, y, alpha=2)),
        ("sub", lambda x, y: torch.rsub(x, y, alpha=0.3)),
    ],
)
def test_alpha(op, call):
    check_call(call, torch.randn(2, 3), torch.randn(2, 3), op=op, **ROUNDED_TWICE)


def test_broadcasting_either_way():
    check_call(lambda x, y: x + y, torch.randn(4), torch.randn(2, 3, 1), op="add")
    check_call(lambda x, y: x * y, torch.randn(2, 1, 4), torch.randn(3, 1), op="mul")
    check_call(lambda x, y: x - y, torch.randn(1, 5), torch.randn(2, 5, 1), op="sub")


NUMBERS = {
    "add": [lambda x: x + 0.1, lambda x: 0.1 + x, lambda x: x + 2, lambda x: torch.add(x, 1e-3)],
    "sub": [
        lambda x: x - 0.1,
        lambda x: 1 - x,
        lambda x: torch.sub(x, 2),
        lambda x: torch.rsub(x, 1),
    ],
    "mul": [
        lambda x: x * 8**-0.5,
        lambda x: 3 * x,
        lambda x: torch.mul(x, -1.7),
        lambda x: x * True,
    ],
    "div": [lambda x: x / 3, lambda x: x.div(0.7), lambda x: torch.div(x, 1e-3), lambda x: 1 / x],
}


@pytest.mark.parametrize(("op", "call"), cases(NUMBERS))
@pytest.mark.parametrize("shape", [(2, 3, 4), ()])
def test_numbers(op, call, shape):
    """They are float32 constants, whatever Python's float holds."""
    bound = check_call(call, torch.randn(shape), op=op)
    number = next(x for x in bound.inputs if x.dim() == 0 or shape)
    assert number.dtype == torch.float32


def test_a_number_over_a_tensor():
    """PyTorch computes (1 / x) * 3, which rounds twice; ONNX divides."""
    check_call(lambda x: 3 / x, torch.randn(200), op="div", rtol=3e-7)
    check_call(lambda x: x.__rdiv__(0.7), torch.randn(200), op="div", rtol=3e-7)


@pytest.mark.parametrize(
    "call", [lambda x: x + 1, lambda x: 2 * x, lambda x: x - 3, lambda x: 7 - x, lambda x: -x]
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_integers_stay_integers(call, dtype):
    x = torch.arange(-4, 5, dtype=dtype)
    found, _ = bound_call(call, [x])
    bound = check_call(call, x, op=found.name)
    assert "casts" not in bound.attributes


def test_types_are_promoted_as_in_torch():
    integers, floats = torch.arange(6).reshape(2, 3), torch.randn(3)
    check_call(lambda a, b: a + b, integers, floats, op="add")
    check_call(lambda a, b: b * a, integers, floats, op="mul")
    check_call(lambda a: a * 0.5, integers, op="mul")
    check_call(lambda a, b: a / b, integers, integers + 1, op="div")
    check_call(lambda a, b: a * b, floats > 0, floats, op="mul")
    check_call(lambda a, b: a + b, floats, torch.tensor(2.5, dtype=torch.float64), op="add")
    check_call(lambda a: a.sqrt(), integers, op="sqrt", **APPROXIMATE)
    check_call(lambda a, b: a < b, integers, floats, op="lt")


def test_half_types_keep_numbers_in_float32():
    """float16 of 0.1 is 0.09998; PyTorch computes with 0.1 and rounds the sum."""
    for dtype in (torch.float16, torch.bfloat16):
        x = torch.randn(100).to(dtype)
        found, bound = bound_call(lambda x: x * 0.1, [x])
        assert same_bits(found.compute(bound.inputs, bound.attributes), x * 0.1)


POWERS = [2, 3, 0.5, -1, 2.0, 1.7, 0, -0.5]


@pytest.mark.parametrize("exponent", POWERS)
def test_powers(exponent):
    x = torch.rand(3, 50) * 3 + 0.1
    for call in (
        lambda x: x**exponent,
        lambda x: torch.pow(x, exponent),
        lambda x: x.pow(exponent=exponent),
        lambda x: ipow(x, exponent),
    ):
        bound = check_call(call, x, op="pow", **APPROXIMATE)
        assert len(bound.inputs) == 1


def test_powers_of_negative_numbers():
    x = torch.randn(50)
    check_call(lambda x: x**2, x, op="pow", **APPROXIMATE)
    check_call(lambda x: x**3, x, op="pow", **APPROXIMATE)
    check_call(lambda x: torch.square(x), x, op="square", **APPROXIMATE)
    check_call(lambda x: x.square_(), x, op="square", **APPROXIMATE)


def test_powers_with_a_tensor_above():
    x, y = torch.rand(3, 4) + 0.1, torch.randn(4)
    check_call(lambda x, y: x**y, x, y, op="pow", **APPROXIMATE)
    check_call(lambda x, y: torch.pow(x, y), x, y, op="pow", **APPROXIMATE)
    check_call(lambda y: 2**y, y, op="pow", **APPROXIMATE)
    check_call(lambda y: torch.pow(1.5, y), y, op="pow", **APPROXIMATE)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: x // y,
        lambda x, y: torch.floor_divide(x, y),
        lambda x, y: x.floor_divide(y),
        lambda x, y: torch.div(x, y, rounding_mode="floor"),
        lambda x, y: torch.div(x, y, rounding_mode="trunc"),
        lambda x, y: x.div(y, rounding_mode="floor"),
        lambda x, y: y.__rfloordiv__(x),
    ],
)
def test_rounded_division(call):
    """Of integers of both signs, and of floats whose quotient is not next to an integer."""
    a = torch.arange(-9, 10).reshape(-1, 1)
    b = torch.tensor([-4, -3, 1, 2, 5])
    check_call(call, a, b, op="floor_divide")
    check_call(call, a + 0.37, b + 0.11, op="floor_divide")
    assert OPS_BY_NAME["floor_divide"].quantized == ()


def test_rounded_division_by_numbers():
    check_call(lambda x: x // 2, torch.arange(-5, 6), op="floor_divide")
    check_call(lambda x: 17 // x, torch.tensor([-4, -3, 2, 5]), op="floor_divide")


FUNCTIONS = [
    "neg",
    "abs",
    "sign",
    "sqrt",
    "rsqrt",
    "exp",
    "log",
    "reciprocal",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "erf",
    "floor",
    "ceil",
    "round",
]
OTHER_SPELLINGS = {
    "neg": [operator.neg, torch.negative, lambda x: x.negative_()],
    "abs": [operator.abs, torch.absolute, lambda x: x.absolute()],
    "asin": [torch.arcsin],
    "acos": [torch.arccos],
    "atan": [torch.arctan],
    "erf": [torch.special.erf],
    "round": [lambda x: torch.round(x, decimals=0)],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    in_range = name in ("sqrt", "rsqrt", "log", "reciprocal", "asin", "acos", "tan")
    x = torch.rand(4, 64) * 0.98 + 0.01 if in_range else torch.randn(4, 64) * 3
    methods = [lambda x: getattr(x, name)(), lambda x: getattr(x, f"{name}_")()]
    exact = name in ("neg", "abs", "sign", "floor", "ceil", "round")
    for call in [getattr(torch, name), *methods] + OTHER_SPELLINGS.get(name, []):
        check_call(call, x, op=name, **({} if exact else APPROXIMATE))


def test_round_goes_to_even():
    check_call(torch.round, torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999998]), op="round")


COMPARISONS = {
    "eq": [lambda x, y: x == y, torch.eq, lambda x, y: x.eq(y)],
    "ne": [lambda x, y: x != y, torch.ne, torch.not_equal, lambda x, y: x.ne(y)],
    "lt": [lambda x, y: x < y, torch.lt, torch.less, lambda x, y: x.lt(y)],
    "le": [lambda x, y: x <= y, torch.le, torch.less_equal, lambda x, y: x.le(y)],
    "gt": [lambda x, y: x > y, torch.gt, torch.greater, lambda x, y: x.gt(y)],
    "ge": [lambda x, y: x >= y, torch.ge, torch.greater_equal, lambda x, y: x.greater_equal(y)],
}


@pytest.mark.parametrize(("op", "call"), cases(COMPARISONS))
def test_comparisons(op, call):
    x, y = torch.randint(-2, 3, (4, 6)).float(), torch.randint(-2, 3, (6,)).float()
    check_call(call, x, y, op=op)
    check_call(lambda x: call(x, 1), x, op=op)
    assert OPS_BY_NAME[op].quantized == ()


def test_comparison_with_a_number_in_front():
    """Python turns these around, so that PyTorch sees the opposite one."""
    x = torch.tensor([0.0, 1.0, 2.0])
    check_call(lambda x: 1 < x, x, op="gt")  # noqa: SIM300
    check_call(lambda x: 1 >= x, x, op="le")  # noqa: SIM300


LOGIC = {
    "logical_and": [lambda a, b: a & b, torch.logical_and, torch.bitwise_and, operator.iand],
    "logical_or": [lambda a, b: a | b, torch.logical_or, torch.bitwise_or, operator.ior],
    "logical_xor": [lambda a, b: a ^ b, torch.logical_xor, torch.bitwise_xor],
}


@pytest.mark.parametrize(("op", "call"), cases(LOGIC))
def test_logic(op, call):
    a, b = torch.tensor([[True], [False]]), torch.tensor([True, False, True])
    check_call(call, a.expand(2, 3).clone(), b, op=op)


def test_not():
    a = torch.tensor([True, False])
    for call in (operator.invert, torch.logical_not, torch.bitwise_not, lambda a: a.logical_not()):
        check_call(call, a, op="logical_not")


def test_logic_of_numbers():
    x, y = torch.tensor([0.0, 2.0, -1.0]), torch.tensor([0, 1, 0])
    check_call(torch.logical_and, x, y, op="logical_and")
    check_call(torch.logical_not, x, op="logical_not")
    # Bits of integers are another operator.
    assert bind_function(torch.bitwise_and, (y, y), {}) is None


def test_where():
    condition, x, y = torch.randn(3, 1) > 0, torch.randn(3, 4), torch.randn(4)
    check_call(torch.where, condition, x, y, op="where")
    check_call(lambda c, x, y: x.where(c, y), condition, x, y, op="where")
    check_call(lambda c, x: torch.where(c, x, 0.1), condition, x, op="where")
    check_call(lambda c, x: torch.where(c, -1, x), condition, x, op="where")
    check_call(lambda c: torch.where(c, 1.0, 0.0), condition, op="where")
    assert bind_function(torch.where, (condition,), {}) is None  # indices, not numbers


def test_masked_fill():
    x, mask = torch.randn(2, 3, 4), torch.randn(3, 4) > 0
    check_call(lambda x, m: x.masked_fill(m, -1e4), x, mask, op="masked_fill")
    check_call(lambda x, m: torch.masked_fill(x, m, float("-inf")), x, mask, op="masked_fill")
    check_call(lambda x, m: x.masked_fill_(m, 0), x, mask, op="masked_fill")
    check_call(lambda x, m, v: x.masked_fill(m, v), x, mask, torch.tensor(2.0), op="masked_fill")


def test_nan_and_infinities():
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0])
    check_call(lambda x: x + 1, x, op="add")
    check_call(lambda x: x * 0, x, op="mul")
    check_call(torch.abs, x, op="abs")
    check_call(torch.floor, x, op="floor")
    check_call(torch.maximum, x, torch.zeros(6), op="maximum")
    check_call(torch.minimum, torch.zeros(6), x, op="minimum")


def test_reductions_are_others():
    """torch.max of one tensor, or along an axis, is not the maximum of two."""
    x = torch.randn(2, 3)
    maximum = OPS_BY_NAME["maximum"].functions[torch.max]
    for args, kwargs in (((x,), {}), ((x, 1), {}), ((x,), {"dim": 1}), ((x, 1, True), {})):
        assert maximum(args, kwargs) is None


@pytest.mark.parametrize(
    ("func", "args", "kwargs", "message"),
    [
        (torch.add, (torch.ones(2),), {}, "add: .*other"),
        (torch.add, (torch.ones(2), 1), {"beta": 2}, "add: .*beta"),
        (torch.mul, (torch.ones(2), "2"), {}, "mul: .*str"),
        (torch.mul, (torch.ones(2), 1j), {}, "mul: .*complex"),
        (torch.add, (torch.ones(2), 1), {"out": torch.ones(2)}, "add: out= "),
        (torch.sqrt, (), {}, "sqrt: .*input"),
        (torch.where, (torch.ones(2) > 0, torch.ones(2), [1]), {}, "where: .*list"),
    ],
)
def test_wrong_calls_name_the_operator(func, args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        bind_function(func, args, kwargs)


def test_decimals_are_refused():
    with pytest.raises(ValueError, match="round: decimals"):
        bind_function(torch.round, (torch.ones(2),), {"decimals": 2})


MASK = torch.empty(2, 3, dtype=torch.bool, device="meta")


@pytest.mark.parametrize(
    "call", [lambda x: 1 - x, lambda x: x * 2, lambda x: 2 / x, lambda x: x.masked_fill(MASK, -1.0)]
)
def test_numbers_become_tensors_beside_the_others(call):
    """On a GPU a fake quantizer would meet one of the CPU else; "meta" is another device."""
    x = torch.empty(2, 3, device="meta")
    _, bound = bound_call(call, [x])
    assert {operand.device.type for operand in bound.inputs} == {"meta"}
