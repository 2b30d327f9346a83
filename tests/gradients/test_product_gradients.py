"""Gradients of sums of products, against PyTorch: groups, strides, pads, batches."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, normal


def padded(x, pads):
    """ONNX's pads, all begins first, at the spatial dimensions."""
    n = len(pads) // 2
    return F.pad(x, [p for d in reversed(range(n)) for p in (pads[d], pads[d + n])])


CONVS = [
    # x, w, attributes
    ((2, 3, 9), (4, 3, 3), {}),
    ((2, 3, 9), (4, 3, 3), {"strides": [2], "pads": [1, 0]}),
    ((1, 3, 10, 9), (5, 3, 3, 2), {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    ((1, 3, 11, 12), (5, 3, 3, 3), {"strides": [3, 2], "dilations": [2, 1]}),
    ((2, 4, 8, 7), (6, 2, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]}),
    ((2, 4, 8, 7), (4, 1, 3, 3), {"group": 4, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ((2, 4, 8, 7), (4, 1, 3, 5), {"group": 4, "pads": [1, 2, 1, 0]}),
    ((2, 3, 9, 11), (3, 1, 3, 2), {"group": 3, "strides": [3, 2], "dilations": [2, 1]}),
    ((1, 3, 4, 5), (3, 1, 2, 2), {"group": 3, "strides": [2, 1], "pads": [3, 2, 1, 0]}),
    ((1, 2, 10), (2, 1, 3), {"group": 2, "strides": [3], "pads": [1, 1]}),
    ((1, 2, 9, 9), (2, 1, 9, 9), {"group": 2}),
    ((1, 2, 4, 4), (3, 2, 1, 1), {"pads": [1, 1, 1, 1]}),
    ((1, 2, 6, 5), (3, 2, 3, 2), {"dilations": [2, 1], "pads": [0, 1, 3, 0]}),
    ((1, 4, 8, 8), (8, 1, 5, 5), {"group": 4, "strides": [4, 4], "pads": [2, 0, 0, 1]}),
    ((1, 2, 8, 8), (3, 2, 1, 1), {"strides": [3, 3]}),
    ((1, 2, 5, 6, 7), (3, 2, 2, 3, 2), {"strides": [2, 1, 3], "pads": [0, 1, 1, 1, 0, 1]}),
    ((1, 2, 4, 4), (3, 2, 4, 4), {}),
    ((1, 2, 3, 3), (3, 2, 3, 3), {"pads": [2, 2, 2, 2], "dilations": [2, 2], "strides": [2, 2]}),
]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("case", CONVS)
def test_conv(tmp_path, case, constant):
    x_shape, w_shape, attributes = case
    n = len(x_shape) - 2
    convolve = [F.conv1d, F.conv2d, F.conv3d][n - 1]

    def reference(x, w, b):
        return convolve(
            padded(x, attributes.get("pads", [0] * 2 * n)),
            w,
            b,
            stride=attributes.get("strides", [1] * n),
            dilation=attributes.get("dilations", [1] * n),
            groups=attributes.get("group", 1),
        )

    inputs = [normal(*x_shape), normal(*w_shape), normal(w_shape[0])]
    constants = (1, 2) if constant else ()
    check_node(tmp_path, "Conv", inputs, reference, attributes, constants=constants)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_conv_auto_pad(tmp_path, auto_pad):
    def reference(x, w):
        # 9 places, kernel 4, stride 2: 5 windows need (5 - 1) * 2 + 4 - 9 = 3 more places.
        pads = {"SAME_UPPER": [1, 2], "SAME_LOWER": [2, 1], "VALID": [0, 0]}[auto_pad]
        return F.conv1d(F.pad(x, pads), w, stride=2)

    inputs = [normal(1, 2, 9), normal(3, 2, 4)]
    attributes = {"auto_pad": auto_pad, "strides": [2]}
    check_node(tmp_path, "Conv", inputs, reference, attributes, constants=(1,))


TRANSPOSED = [
    ((2, 3, 5), (3, 4, 3), {}),
    ((2, 3, 5), (3, 4, 3), {"strides": [3], "pads": [1, 1], "output_padding": [2]}),
    ((1, 4, 5, 4), (4, 3, 2, 2), {"strides": [2, 2]}),
    ((1, 4, 5, 4), (4, 3, 3, 4), {"strides": [2, 1], "dilations": [2, 1], "pads": [1, 2, 1, 2]}),
    ((2, 4, 3, 3), (4, 2, 4, 4), {"group": 2, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ((1, 3, 4, 4), (3, 1, 3, 3), {"group": 3, "strides": [2, 2], "output_padding": [1, 1]}),
    ((1, 2, 3, 3, 2), (2, 3, 2, 3, 2), {"strides": [2, 2, 1], "output_padding": [1, 0, 0]}),
]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("case", TRANSPOSED)
def test_conv_transpose(tmp_path, case, constant):
    x_shape, w_shape, attributes = case
    n = len(x_shape) - 2
    convolve = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][n - 1]
    group = attributes.get("group", 1)

    def reference(x, w, b):
        return convolve(
            x,
            w,
            b,
            stride=attributes.get("strides", [1] * n),
            padding=attributes.get("pads", [0] * 2 * n)[:n],
            output_padding=attributes.get("output_padding", [0] * n),
            dilation=attributes.get("dilations", [1] * n),
            groups=group,
        )

    inputs = [normal(*x_shape), normal(*w_shape), normal(w_shape[1] * group)]
    constants = (1, 2) if constant else ()
    check_node(tmp_path, "ConvTranspose", inputs, reference, attributes, constants=constants)


def test_conv_transpose_asymmetric_pads(tmp_path):
    def reference(x, w):
        return F.conv_transpose2d(x, w, stride=2)[:, :, 1:, :-1]

    inputs = [normal(1, 2, 4, 4), normal(2, 3, 3, 3)]
    attributes = {"strides": [2, 2], "pads": [1, 0, 0, 1]}
    check_node(tmp_path, "ConvTranspose", inputs, reference, attributes)


def test_conv_transpose_output_shape(tmp_path):
    def reference(x, w):
        return F.conv_transpose1d(x, w, stride=3)[:, :, 1:-1]  # 14 places, of which 12 stay

    inputs = [normal(1, 2, 4), normal(2, 3, 5)]
    attributes = {"strides": [3], "output_shape": [12], "auto_pad": "SAME_UPPER"}
    check_node(tmp_path, "ConvTranspose", inputs, reference, attributes)


MATMULS = [
    ((3, 4), (4, 5)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((4,), (4,)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (6, 4, 5)),
    ((3, 4), (2, 6, 4, 5)),
    ((4,), (2, 6, 4, 5)),
    ((2, 6, 3, 4), (4,)),
]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("shapes", MATMULS)
def test_matmul(tmp_path, shapes, constant):
    inputs = [normal(*s) for s in shapes]
    constants = (1,) if constant else ()
    check_node(tmp_path, "MatMul", inputs, torch.matmul, constants=constants)


@pytest.mark.parametrize("c", [(3, 5), (5,), (3, 1), (), None])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("trans_a", [0, 1])
def test_gemm(tmp_path, trans_a, trans_b, c):
    a = normal(*((4, 3) if trans_a else (3, 4)))
    b = normal(*((5, 4) if trans_b else (4, 5)))

    def reference(a, b, c=None):
        y = 0.7 * (a.T if trans_a else a) @ (b.T if trans_b else b)
        return y if c is None else y + 1.3 * c

    attributes = {"transA": trans_a, "transB": trans_b, "alpha": 0.7, "beta": 1.3}
    inputs = [a, b] if c is None else [a, b, normal(*c)]
    check_node(tmp_path, "Gemm", inputs, reference, attributes)


EINSUMS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
    ("...ij,jk->...ik", [(2, 2, 3, 4), (4, 5)]),
    ("...ij,...jk->...ik", [(4, 2, 3, 4), (2, 4, 5)]),
    ("ij,k->j", [(2, 3), (4,)]),
    ("ij->", [(2, 3)]),
    ("ij->ji", [(2, 3)]),
    ("i,i,i->i", [(3,), (3,), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("bi,bi->b", [(2, 1), (2, 3)]),
]


@pytest.mark.parametrize("case", EINSUMS)
def test_einsum(tmp_path, case):
    equation, shapes = case

    def reference(*inputs):
        return torch.einsum(equation, *inputs)

    inputs = [normal(*s) for s in shapes]
    check_node(tmp_path, "Einsum", inputs, reference, {"equation": equation})
