"""Convolutions and products of matrices: every spelling, and the one product each is in ONNX."""

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from ops_cases import bound_call, check_call, check_module, onnx_of
from torch import nn
from twofold import Error
from twofold.quantization._ops import OPS_BY_NAME, bind_function, op_of_module
from twofold.quantization._ops.onnx_model import GEMM_TYPES, OnnxModel
from twofold.quantization._ops.products import MATMULS, weight_axis

# Sums of up to a few hundred products of numbers around 1, in another order in each library.
SUMS = {"rtol": 1e-5, "atol": 2e-5}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


CONVOLUTIONS = [
    (nn.Conv1d(4, 6, 3), (2, 4, 11)),
    (nn.Conv1d(4, 6, 4, stride=2, padding=3, bias=False), (2, 4, 11)),
    (nn.Conv2d(3, 5, 3), (2, 3, 9, 7)),
    (nn.Conv2d(3, 5, (3, 1), stride=(2, 1), padding=(0, 2), dilation=(1, 3)), (1, 3, 9, 7)),
    (nn.Conv2d(4, 6, 3, groups=2, padding=1), (2, 4, 5, 6)),
    (nn.Conv2d(4, 8, 3, groups=4, padding=1, stride=2, bias=False), (2, 4, 5, 6)),
    (nn.Conv2d(3, 4, 3, padding="same"), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, (4, 2), padding="same", dilation=(1, 2)), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, 3, padding="valid"), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="reflect"), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, 3, padding=(2, 1), padding_mode="replicate", stride=2), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="circular"), (2, 3, 6, 7)),
    (nn.Conv2d(3, 4, 4, padding="same", padding_mode="reflect"), (2, 3, 6, 7)),
    (nn.Conv1d(3, 4, 5, padding=2, padding_mode="circular"), (2, 3, 8)),
    (nn.Conv3d(2, 3, (2, 3, 1), padding=(1, 0, 1), stride=(1, 2, 1)), (2, 2, 4, 7, 3)),
    (nn.Conv3d(2, 3, 3, padding=1, padding_mode="replicate"), (1, 2, 3, 4, 3)),
    (nn.Conv2d(3, 5, 3, padding=1), (3, 6, 7)),
    (nn.Conv1d(3, 5, 3, padding=1, padding_mode="reflect"), (3, 6)),
]


@pytest.mark.parametrize(("module", "shape"), CONVOLUTIONS, ids=str)
def test_convolution_modules(module, shape):
    dimensions = module.weight.dim() - 2
    bound = check_module(module, torch.randn(shape), op=f"conv{dimensions}d", **SUMS)
    assert bound.inputs[1] is module.weight and bound.inputs[2] is module.bias


TRANSPOSED = [
    (nn.ConvTranspose1d(4, 6, 3), (2, 4, 7)),
    (nn.ConvTranspose1d(4, 6, 4, stride=3, padding=1, output_padding=2, bias=False), (2, 4, 7)),
    (nn.ConvTranspose2d(3, 5, (3, 2), stride=(2, 1), padding=(1, 0)), (2, 3, 4, 5)),
    (nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2, padding=1), (2, 4, 4, 5)),
    (nn.ConvTranspose2d(4, 4, 4, groups=4, stride=2, padding=1, bias=False), (1, 4, 4, 5)),
    (nn.ConvTranspose3d(2, 3, 2, stride=(1, 2, 2), output_padding=(0, 1, 0)), (1, 2, 3, 3, 2)),
    (nn.ConvTranspose2d(3, 5, 2), (3, 4, 5)),
]


@pytest.mark.parametrize(("module", "shape"), TRANSPOSED, ids=str)
def test_transposed_modules(module, shape):
    dimensions = module.weight.dim() - 2
    check_module(module, torch.randn(shape), op=f"conv_transpose{dimensions}d", **SUMS)


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (2, 3, 8, 9)])
def test_a_wanted_output_size(size):
    module = nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1)
    x = torch.randn(2, 3, 4, 5)
    check_module(module, x, size, op="conv_transpose2d", **SUMS)
    check_module(module, x, op="conv_transpose2d", output_size=size, **SUMS)


def test_convolution_functions():
    x, w, b = torch.randn(2, 4, 6, 7), torch.randn(6, 2, 3, 3), torch.randn(6)
    weights = {"constants": [1, 2], **SUMS}
    for conv in (F.conv2d, torch.conv2d):
        check_call(lambda x, w, f=conv: f(x, w, groups=2), x, w, op="conv2d", constants=[1], **SUMS)
        check_call(lambda x, w, b, f=conv: f(x, w, b, 2, 1, 1, 2), x, w, b, op="conv2d", **weights)
    check_call(
        lambda x, w, b: F.conv2d(input=x, weight=w, bias=b, padding="same", groups=2),
        *(x, w, b),
        op="conv2d",
        **weights,
    )
    check_call(
        lambda x, w, b: F.conv2d(x, w, b, (1, 2), [0, 2], (2,), 2),
        *(x, w, b),
        op="conv2d",
        **weights,
    )
    x, w = torch.randn(2, 4, 9), torch.randn(6, 4, 3)
    check_call(F.conv1d, x, w, op="conv1d", constants=[1], **SUMS)
    check_call(torch.conv1d, x, w, b, op="conv1d", **weights)
    x, w = torch.randn(1, 2, 4, 5, 3), torch.randn(3, 2, 2, 2, 2)
    check_call(F.conv3d, x, w, op="conv3d", constants=[1], **SUMS)


def test_transposed_functions():
    x, w, b = torch.randn(2, 4, 5, 4), torch.randn(4, 3, 3, 2), torch.randn(6)
    check_call(
        lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, (1, 0), 2, 1),
        *(x, w, b),
        op="conv_transpose2d",
        constants=[1, 2],
        **SUMS,
    )
    x, w = torch.randn(2, 4, 5), torch.randn(4, 3, 3)
    for call in (torch.conv_transpose1d, lambda x, w: F.conv_transpose1d(x, w, stride=(2,))):
        check_call(call, x, w, op="conv_transpose1d", constants=[1], **SUMS)


def test_a_weight_that_is_computed():
    """Both factors are inputs of the model."""
    x, w = torch.randn(2, 4, 6), torch.randn(3, 4, 2)
    check_call(F.conv1d, x, w, op="conv1d", **SUMS)
    check_call(F.linear, torch.randn(2, 5, 7), torch.randn(3, 7), op="linear", **SUMS)


@pytest.mark.parametrize("shape", [(5, 7), (7,), (2, 3, 7), (2, 1, 3, 7)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    module = nn.Linear(7, 4, bias=bias)
    x = torch.randn(shape)
    bound = check_module(module, x, op="linear", **SUMS)
    assert bound.inputs[1] is module.weight and bound.inputs[2] is module.bias
    w, b = module.weight.detach(), torch.randn(4)
    check_call(F.linear, x, w, op="linear", constants=[1], **SUMS)
    check_call(
        lambda x, w, b: F.linear(x, weight=w, bias=b),
        *(x, w, b),
        op="linear",
        constants=[1, 2],
        **SUMS,
    )


def test_subclasses_that_keep_forward_are_the_layer():
    class Wide(nn.Linear):
        def __init__(self):
            super().__init__(4, 8)

    class Scaled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    assert op_of_module(Wide).name == "linear"
    assert op_of_module(Scaled) is None
    assert op_of_module(nn.modules.linear.NonDynamicallyQuantizableLinear).name == "linear"
    check_module(Wide(), torch.randn(3, 4), op="linear", **SUMS)


MATMUL_SHAPES = [
    ((3, 4), (4, 5)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((3, 4), (4,)),
    ((4,), (4, 5)),
    ((2, 3, 4), (4,)),
    ((4,), (2, 4, 5)),
    ((4,), (4,)),
]


@pytest.mark.parametrize("shapes", MATMUL_SHAPES, ids=str)
def test_matmul(shapes):
    a, b = (torch.randn(shape) for shape in shapes)
    for call in (
        lambda a, b: a @ b,
        torch.matmul,
        torch.linalg.matmul,
        lambda a, b: a.matmul(other=b),
        lambda a, b: b.__rmatmul__(a),
    ):
        check_call(call, a, b, op="matmul", **SUMS)


def test_matmul_with_a_constant():
    a, b = torch.randn(2, 3, 4), torch.randn(4, 5)
    check_call(torch.matmul, a, b, op="matmul", constants=[1], **SUMS)
    check_call(torch.matmul, a[0], a[1].T.contiguous(), op="matmul", constants=[0], **SUMS)


def test_products_of_given_ranks():
    a, b = torch.randn(2, 3, 4), torch.randn(2, 4, 5)
    check_call(torch.bmm, a, b, op="bmm", **SUMS)
    check_call(lambda a, b: a.bmm(mat2=b), a, b, op="bmm", **SUMS)
    check_call(torch.mm, a[0], b[0], op="mm", **SUMS)
    check_call(lambda a, b: a.mm(b), a[0], b[0], op="mm", **SUMS)
    check_call(torch.mv, a[0], b[0, :, 0].clone(), op="mv", **SUMS)
    check_call(lambda a, b: a.mv(b), a[0], b[0, :, 0].clone(), op="mv", **SUMS)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (3, 5), (3, 1), (1,), ()], ids=str)
@pytest.mark.parametrize("factors", [{}, {"beta": 0.5}, {"alpha": -2}, {"beta": 2, "alpha": 0.3}])
def test_addmm(shape, factors):
    c, a, b = torch.randn(shape), torch.randn(3, 4), torch.randn(4, 5)
    check_call(lambda c, a, b: torch.addmm(c, a, b, **factors), c, a, b, op="addmm", **SUMS)
    check_call(lambda c, a, b: c.addmm(a, b, **factors), c, a, b, op="addmm", **SUMS)


def test_addmm_in_place():
    c, a, b = torch.randn(3, 5), torch.randn(3, 4), torch.randn(4, 5)
    check_call(lambda c, a, b: c.addmm_(a, b), c, a, b, op="addmm", **SUMS)


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 3, 5), (5,)], ids=str)
@pytest.mark.parametrize("factors", [{}, {"beta": 0.5, "alpha": 4**-0.5}])
def test_baddbmm(shape, factors):
    c, a, b = torch.randn(shape), torch.randn(2, 3, 4), torch.randn(2, 4, 5)
    call = lambda c, a, b: torch.baddbmm(c, batch1=a, batch2=b, **factors)  # noqa: E731
    check_call(call, c, a, b, op="baddbmm", **SUMS)


def test_beta_of_zero_ignores_what_is_added():
    a, b, nothing = torch.randn(2, 3, 4), torch.randn(2, 4, 5), torch.full((2, 3, 5), float("nan"))
    call = lambda c, a, b: torch.baddbmm(c, a, b, beta=0, alpha=0.5)  # noqa: E731
    check_call(call, nothing, a, b, op="baddbmm", **SUMS)


EINSUMS = [
    ("ij,jk->ik", (3, 4), (4, 5)),
    ("ij,kj->ik", (3, 4), (5, 4)),
    ("ij,jk", (3, 4), (4, 5)),
    ("ib,ai", (3, 4), (5, 3)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("bqhd,bkhd->bhqk", (2, 4, 3, 5), (2, 6, 3, 5)),
    ("bhqk,bkhd->bqhd", (2, 3, 4, 6), (2, 6, 3, 5)),
    ("bchw,bkc->bkhw", (2, 3, 4, 5), (2, 6, 3)),
    ("bijc,ijk->bkc", (2, 3, 4, 5), (3, 4, 6)),
    ("nctv,vw->nctw", (2, 3, 4, 5), (5, 6)),
    ("i,i->", (5,), (5,)),
    ("i,j->ij", (3,), (4,)),
    ("bi,bi->b", (3, 4), (3, 4)),
    ("bi,bi->bi", (3, 4), (3, 4)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 6)),
    ("...ij,jk->...ik", (2, 5, 3, 4), (4, 6)),
    ("b...c,dc->b...d", (2, 3, 4, 5), (6, 5)),
    ("...ij,...jk", (2, 3, 4), (2, 4, 5)),
    (" i j , j k -> k i ", (3, 4), (4, 5)),
    ("aB,Bc->ca", (3, 4), (4, 5)),
]


@pytest.mark.parametrize(("equation", "first", "second"), EINSUMS, ids=str)
def test_einsum(equation, first, second):
    a, b = torch.randn(first), torch.randn(second)
    call = lambda a, b: torch.einsum(equation, a, b)  # noqa: E731
    check_call(call, a, b, op="einsum", **SUMS)
    check_call(lambda a, b: torch.einsum(equation, [a, b]), a, b, op="einsum", **SUMS)
    op, bound = bound_call(call, [a, b])
    products = [n for n in onnx_of(op, bound, [a, b]).build().graph.node if n.op_type in GEMM_TYPES]
    assert [node.name for node in products] == ["call"]


def test_random_einsums():
    """Contractions of every make-up, with their indices in any order."""
    generator = np.random.default_rng(0)
    for _ in range(60):
        counts = generator.integers(0, 3, 4)
        letters = iter("abcdefgh")
        batch, summed, rows, columns = ([next(letters) for _ in range(count)] for count in counts)
        first, second, result = (
            list(generator.permutation(labels)) if labels else []
            for labels in (batch + summed + rows, batch + summed + columns, batch + rows + columns)
        )
        if not first or not second:
            continue
        sizes = {label: int(generator.integers(1, 5)) for label in first + second}
        a, b = (torch.randn([sizes[label] for label in term]) for term in (first, second))
        equation = f"{''.join(first)},{''.join(second)}->{''.join(result)}"
        check_call(lambda a, b, e=equation: torch.einsum(e, a, b), a, b, op="einsum", **SUMS)


@pytest.mark.parametrize(
    ("equation", "shapes", "message"),
    [
        ("ij->ji", [(2, 3)], "1 operands"),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], "3 operands"),
        ("ii,ij->j", [(2, 2), (2, 3)], "repeats an index"),
        ("ij,k->k", [(2, 3), (4,)], "sums i, j of one operand alone"),
    ],
)
def test_other_einsums_are_refused(equation, shapes, message):
    operands = [torch.randn(shape) for shape in shapes]
    with pytest.raises(Error, match=f"einsum: .*{message}"):
        bind_function(torch.einsum, (equation, *operands), {})


def test_einsum_of_lists_is_refused():
    a = torch.randn(2, 2)
    with pytest.raises(Error, match="einsum: lists of axes"):
        bind_function(torch.einsum, (a, [0, 1], a, [1, 2]), {})


def one_product(op, bound, x):
    (product,) = [n for n in onnx_of(op, bound, [x]).build().graph.node if n.op_type in GEMM_TYPES]
    return product


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Linear(7, 4), (2, 3, 7)),
        (nn.Linear(7, 4), (3, 7)),
        (nn.Conv2d(4, 6, 3, padding="same", groups=2), (2, 4, 5, 5)),
        (nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), (4, 5, 5)),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), (2, 4, 5, 5)),
    ],
    ids=str,
)
def test_layers_are_exact_on_integers(module, shape, tmp_path):
    """One product of integers with the bias among them, with scales along `weight_axis`."""
    op = op_of_module(type(module))
    x = torch.randn(shape)
    bound = op.modules[type(module)](module, (x,), {})
    assert one_product(op, bound, x).name == "call"
    onnx.save(onnx_of(op, bound, [x]).build(), tmp_path / "float.onnx")
    report = twofold.quantize(
        tmp_path / "float.onnx",
        [{"x0": x.numpy()}],
        output=tmp_path / "quantized.onnx",
        progress=False,
    )
    operands = {o["operand"]: o for o in report["operands"] if o["node"] == "call"}
    assert operands["input1"]["granted"] == "int8"
    quantized = onnx.load(tmp_path / "quantized.onnx")
    (product,) = [n for n in quantized.graph.node if n.op_type in GEMM_TYPES]
    makers = {name: n for n in quantized.graph.node for name in n.output}
    weight, bias = (makers[name] for name in product.input[1:])
    constants = {c.name: c for c in quantized.graph.initializer}
    axis = weight_axis(op.name, module.weight.dim())
    attributes = {a.name: a.i for a in weight.attribute}
    assert attributes["axis"] == axis
    assert constants[weight.input[0]].dims == list(module.weight.shape)
    assert constants[weight.input[1]].dims == [module.weight.shape[axis]]
    assert constants[bias.input[0]].data_type == onnx.TensorProto.INT32


def test_weight_axes():
    axes = {"conv1d": (3, 0), "conv3d": (5, 0), "conv_transpose2d": (4, 1), "linear": (2, 0)}
    axes |= {"matmul": (2, 1), "addmm": (2, 1), "bmm": (3, 2), "mv": (1, None), "einsum": (2, None)}
    for name, (rank, axis) in axes.items():
        assert weight_axis(name, rank) == axis
        assert OPS_BY_NAME[name].kind.value == "gemm"
    assert {name for name in axes if name in MATMULS} == {"matmul", "addmm", "bmm", "mv", "einsum"}


def test_names_of_nodes():
    """The product has the call's name, and what comes out of a chain of shapes is still its own."""
    model = OnnxModel()
    x = model.input("x", (2, 3, 4))
    linear, addmm, gelu = (OPS_BY_NAME[name] for name in ("linear", "addmm", "silu"))
    weight, bias = torch.randn(5, 4), torch.randn(5)
    with model.call("blocks.0.fc") as call:
        y = linear.emit(model, [x, model.constant(weight, name="w"), model.constant(bias)], {})
    assert call.result == "blocks.0.fc"
    with model.call("blocks.0._generated_silu_0") as call:
        y = gelu.emit(model, [y], {})
    assert call.result == "blocks.0._generated_silu_0"
    flat = model.input("flat", (3, 4))
    with model.call("head") as call:
        parts = [flat, model.constant(torch.randn(4, 2)), model.input("c", (3, 2))]
        head = addmm.emit(model, parts, {"alpha": 1, "beta": 1})
    assert call.result == "head/Add_0"
    model.output("y", y)
    model.output("h", head)
    names = [node.name for node in model.build().graph.node]
    assert names == [
        "blocks.0.fc/Reshape_0",
        "blocks.0.fc",
        "blocks.0.fc/Reshape_1",
        "blocks.0._generated_silu_0/Sigmoid_0",
        "blocks.0._generated_silu_0",
        "head",
        "head/Add_0",
    ]


@pytest.mark.parametrize(
    ("func", "args", "message"),
    [
        (F.conv2d, (torch.ones(1, 1, 3, 3),), "conv2d: .*weight"),
        (torch.matmul, (torch.ones(2, 2),), "matmul: .*other"),
        (torch.addmm, (torch.ones(2), torch.ones(2, 2)), "addmm: .*mat2"),
    ],
)
def test_wrong_calls_name_the_operator(func, args, message):
    with pytest.raises(TypeError, match=message):
        bind_function(func, args, {})


def test_a_weight_of_one_axis_is_refused():
    with pytest.raises(ValueError, match=r"linear: a weight \[out, in\]"):
        bind_function(F.linear, (torch.ones(2, 3), torch.ones(3)), {})


def test_shapes_that_do_not_fit_name_the_call():
    model = OnnxModel()
    x, w = model.input("x", (2, 3)), model.constant(torch.ones(4, 5))
    message = r"attn.qk: no ONNX MatMul of x \[2, 3\]"
    with pytest.raises(ValueError, match=message), model.call("attn.qk"):
        OPS_BY_NAME["matmul"].emit(model, [x, w], {})
