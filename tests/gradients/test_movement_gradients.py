"""Gradients of operators that move or choose numbers, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, ints, normal


def test_reshapes(tmp_path):
    x, half = normal(2, 3, 4), np.array(0.5, np.float32)
    cases = [
        ("Reshape", [x, ints(4, -1)], {}, lambda x, _: x.reshape(4, -1)),
        ("Flatten", [x], {"axis": 2}, lambda x: x.reshape(6, 4)),
        ("Unsqueeze", [x, ints(1)], {}, lambda x, _: x.unsqueeze(1)),
        ("Squeeze", [normal(2, 1, 3), ints(1)], {}, lambda x, _: x.squeeze(1)),
        ("Transpose", [x], {"perm": [1, 2, 0]}, lambda x: x.permute(1, 2, 0)),
        ("Transpose", [x], {}, lambda x: x.permute(2, 1, 0)),
        ("Expand", [normal(3, 1), ints(2, 3, 4)], {}, lambda x, _: x.expand(2, 3, 4)),
        ("Expand", [x, ints(3, 1)], {}, lambda x, _: x.clone()),
        ("Tile", [x, ints(2, 1, 3)], {}, lambda x, _: x.repeat(2, 1, 3)),
        ("Dropout", [x], {}, torch.clone),
        ("Dropout", [x, half, np.array(False)], {}, lambda x, *_: x.clone()),
        ("Trilu", [x], {"upper": 0}, torch.tril),
        ("Trilu", [x, np.array(1, np.int64)], {"upper": 1}, lambda x, _: x.triu(1)),
    ]
    for number, (op, inputs, attributes, reference) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_node(folder, op, inputs, reference, attributes, constants=(1, 2))


@pytest.mark.parametrize("axis", [0, -1])
def test_concat(tmp_path, axis):
    shapes = [(2, 3), (4, 3), (1, 3)] if axis == 0 else [(2, 3), (2, 1), (2, 5)]

    def reference(*inputs):
        return torch.cat(inputs, axis)

    check_node(tmp_path, "Concat", [normal(*s) for s in shapes], reference, {"axis": axis})


def test_split(tmp_path):
    inputs = [normal(2, 7), ints(2, 4, 1)]
    check_node(
        tmp_path,
        "Split",
        inputs,
        lambda x, _: x.split([2, 4, 1], 1),
        {"axis": 1},
        constants=(1,),
        outputs=3,
    )


SLICES = [
    # starts, ends, axes, steps; in NumPy's words
    ((1, 0), (3, 100), (0, 2), None, np.s_[1:3, :, 0:100]),
    ((-3,), (-1,), (1,), None, np.s_[:, -3:-1]),
    ((0,), (9,), (1,), (2,), np.s_[:, 0:9:2]),
    ((-1,), (-100,), (2,), (-1,), np.s_[:, :, ::-1]),
    ((5, 1), (0, 4), (1, 0), (-2, 2), np.s_[1:4:2, 5:0:-2]),
    ((2,), (2,), (0,), None, np.s_[2:2]),
    ((1, 2), (3, 5), None, None, np.s_[1:3, 2:5]),
]


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("case", SLICES)
def test_slice(tmp_path, case, constant):
    starts, ends, axes, steps, words = case
    x = normal(4, 6, 3)
    place = torch.from_numpy(np.arange(x.size).reshape(x.shape)[words].copy())

    def reference(x, *_):
        return x.reshape(-1)[place]

    inputs = [x, ints(*starts), ints(*ends)]
    inputs += [None if axes is None else ints(*axes), None if steps is None else ints(*steps)]
    constants = (1, 2, 3, 4) if constant else ()
    check_node(tmp_path, "Slice", inputs, reference, constants=constants)


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pad(tmp_path, mode, constant):
    words = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}

    def reference(x, *_):
        return F.pad(x, [1, 2, 2, 0], words[mode])

    inputs = [normal(1, 2, 4, 5), ints(0, 0, 2, 1, 0, 0, 0, 2)]
    constants = (1,) if constant else ()
    check_node(tmp_path, "Pad", inputs, reference, {"mode": mode}, constants=constants)


def test_pad_that_cuts(tmp_path):
    inputs = [normal(3, 5), ints(-1, 2), np.array(7, np.float32), ints(1)]
    check_node(
        tmp_path,
        "Pad",
        inputs,
        lambda x, *_: F.pad(x, [-1, 2], value=7),
        constants=(1, 2, 3),
    )


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(tmp_path, mode):
    def reference(x):
        n, c, h, w = x.shape
        if mode == "CRD":
            return F.pixel_shuffle(x, 2)
        blocks = x.reshape(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(n, c // 4, h * 2, w * 2)

    attributes = {"blocksize": 2, "mode": mode}
    check_node(tmp_path, "DepthToSpace", [normal(1, 12, 2, 3)], reference, attributes)


def test_space_to_depth(tmp_path):
    def reference(x):
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4)
        return blocks.reshape(n, c * 4, h // 2, w // 2)

    check_node(tmp_path, "SpaceToDepth", [normal(1, 3, 4, 6)], reference, {"blocksize": 2})


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("index", [1, -1, [0, 2, 2, -1], [[1], [1]]])
def test_gather(tmp_path, index, axis, constant):
    index = np.array(index, np.int64)

    def reference(x, _):
        return x[torch.from_numpy(index)] if axis == 0 else x[:, torch.from_numpy(index)]

    constants = (1,) if constant else ()
    inputs = [normal(3, 4, 2), index]
    check_node(tmp_path, "Gather", inputs, reference, {"axis": axis}, constants=constants)


def test_gather_elements(tmp_path):
    at = ints(0, 2, 2, 1, 0, 0).reshape(2, 3)

    def reference(x, at):
        return x[:2].gather(1, at)

    check_node(tmp_path, "GatherElements", [normal(4, 3), at], reference, {"axis": 1})


def test_gather_nd(tmp_path):
    at = ints(0, 1, 2, 0, 0, 1).reshape(3, 2)

    def reference(x, at):
        return x[at[:, 0], at[:, 1]]

    check_node(tmp_path, "GatherND", [normal(3, 2, 4), at], reference)


def test_batches_of_gather_nd(tmp_path):
    at = ints(1, 0).reshape(2, 1)

    def reference(x, at):
        return torch.stack([x[0, 1], x[1, 0]])

    check_node(tmp_path, "GatherND", [normal(2, 3, 4), at], reference, {"batch_dims": 1})


@pytest.mark.parametrize("reduction", ["none", "add"])
def test_scatter_elements(tmp_path, reduction):
    at = ints(0, 2, 1, 0).reshape(2, 2)

    def reference(x, at, updates):
        return x.scatter(1, at, updates) if reduction == "none" else x.scatter_add(1, at, updates)

    inputs = [normal(3, 4), at, normal(2, 2)]
    attributes = {"axis": 1, "reduction": reduction}
    check_node(tmp_path, "ScatterElements", inputs, reference, attributes)


@pytest.mark.parametrize("reduction", ["none", "add"])
def test_scatter_nd(tmp_path, reduction):
    at = ints(2, 0).reshape(2, 1)

    def reference(x, at, updates):
        return x.index_put((at[:, 0],), updates, accumulate=reduction == "add")

    inputs = [normal(3, 4), at, normal(2, 4)]
    check_node(tmp_path, "ScatterND", inputs, reference, {"reduction": reduction})


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k(tmp_path, largest):
    def reference(x, _):
        return x.topk(2, 1, bool(largest)).values

    inputs = [normal(3, 5, 2), ints(2)]
    attributes = {"axis": 1, "largest": largest}
    check_node(tmp_path, "TopK", inputs, reference, attributes, constants=(1,), outputs=2)


def test_compress(tmp_path):
    def reference(x, condition):
        return x[:, condition]

    inputs = [normal(2, 3, 2), np.array([True, False, True])]
    check_node(tmp_path, "Compress", inputs, reference, {"axis": 1})


def test_reverse_sequence(tmp_path):
    def reference(x, _):
        return torch.stack([torch.cat([x[:2, 0].flip(0), x[2:, 0]]), x[:, 1].flip(0)], 1)

    inputs = [normal(4, 2, 3), ints(2, 4)]
    check_node(tmp_path, "ReverseSequence", inputs, reference, {"time_axis": 0, "batch_axis": 1})
