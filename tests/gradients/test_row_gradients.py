"""Gradients of normalizations, softmax and reductions, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, floats, ints, normal, positive


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax(tmp_path, op, axis):
    function = torch.softmax if op == "Softmax" else torch.log_softmax
    check_node(tmp_path, op, [normal(3, 4, 5)], lambda x: function(x, axis), {"axis": axis})


@pytest.mark.parametrize("axis", [1, -1])
def test_layer_norm(tmp_path, axis):
    x = normal(2, 3, 5)
    shape = x.shape[axis:] if axis > 0 else x.shape[-1:]

    def reference(x, scale, bias):
        return F.layer_norm(x, shape, scale, bias, 1e-3)

    inputs = [x, normal(*shape), normal(*shape)]
    check_node(tmp_path, "LayerNormalization", inputs, reference, {"axis": axis, "epsilon": 1e-3})


def test_rms_norm(tmp_path):
    def reference(x, scale):
        return F.rms_norm(x, (5,), scale, 1e-3)

    inputs = [normal(2, 3, 5), normal(5)]
    check_node(tmp_path, "RMSNormalization", inputs, reference, {"epsilon": 1e-3}, opset=24)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(tmp_path, groups):
    def reference(x, scale, bias):
        return F.group_norm(x, groups, scale, bias, 1e-3)

    inputs = [normal(2, 6, 3, 4), normal(6), normal(6)]
    attributes = {"num_groups": groups, "epsilon": 1e-3}
    check_node(tmp_path, "GroupNormalization", inputs, reference, attributes)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 4, 5)])
def test_instance_norm(tmp_path, shape):
    def reference(x, scale, bias):
        return F.instance_norm(x, weight=scale, bias=bias, eps=1e-3)

    inputs = [normal(*shape), normal(3), normal(3)]
    check_node(tmp_path, "InstanceNormalization", inputs, reference, {"epsilon": 1e-3})


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5)])
def test_batch_norm(tmp_path, shape):
    def reference(x, scale, bias, mean, variance):
        return F.batch_norm(x, mean, variance, scale, bias, eps=1e-3)

    inputs = [normal(*shape), normal(3), normal(3), normal(3), positive(3)]
    check_node(
        tmp_path,
        "BatchNormalization",
        inputs,
        reference,
        {"epsilon": 1e-3},
        constants=(3, 4),
    )


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [0, -1])
def test_lp_norm(tmp_path, p, axis):
    def reference(x):
        return x / torch.linalg.vector_norm(x, p, axis, keepdim=True)

    check_node(tmp_path, "LpNormalization", [normal(3, 4, 5)], reference, {"p": p, "axis": axis})


@pytest.mark.parametrize("axes", [[0, 2, 3], [1]])
def test_mean_variance_norm(tmp_path, axes):
    def reference(x):
        return (x - x.mean(axes, keepdim=True)) / x.std(axes, correction=0, keepdim=True)

    x = normal(2, 3, 4, 5)
    check_node(tmp_path, "MeanVarianceNormalization", [x], reference, {"axes": axes})


@pytest.mark.parametrize("size", [1, 3, 5])
def test_lrn(tmp_path, size):
    def reference(x):
        return F.local_response_norm(x, size, alpha=0.5, beta=0.6, k=1.5)

    attributes = {"size": size, "alpha": 0.5, "beta": 0.6, "bias": 1.5}
    check_node(tmp_path, "LRN", [normal(2, 7, 3, 2)], reference, attributes)


def over(axes, x):
    return tuple(range(x.dim())) if axes is None else axes


REDUCTIONS = {
    "ReduceSum": lambda x, axes, keep: x.sum(axes, keep),
    "ReduceMean": lambda x, axes, keep: x.mean(axes, keep),
    "ReduceMax": lambda x, axes, keep: x.amax(axes, keep),
    "ReduceMin": lambda x, axes, keep: x.amin(axes, keep),
    "ReduceL1": lambda x, axes, keep: x.abs().sum(axes, keep),
    "ReduceL2": lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep),
    "ReduceSumSquare": lambda x, axes, keep: x.square().sum(axes, keep),
    "ReduceLogSum": lambda x, axes, keep: x.sum(axes, keep).log(),
    "ReduceLogSumExp": lambda x, axes, keep: x.logsumexp(axes, keep),
}


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("axes", [None, (1,), (0, -1)])
@pytest.mark.parametrize("op", REDUCTIONS)
def test_reduction(tmp_path, op, axes, keep):
    x = positive(3, 4, 2) if op == "ReduceLogSum" else normal(3, 4, 2)
    x[0, 1] = x[0, 2]  # ties
    inputs = [x] if axes is None else [x, ints(*axes)]

    def reference(x, _=None):
        return REDUCTIONS[op](x, over(axes, x), bool(keep))

    check_node(tmp_path, op, inputs, reference, {"keepdims": keep}, constants=(1,))


def test_reduction_of_nothing(tmp_path):
    inputs = [normal(2, 3), ints()]
    attributes = {"noop_with_empty_axes": 1}
    check_node(tmp_path, "ReduceSum", inputs, lambda x, _: x.clone(), attributes, constants=(1,))


def test_norm_of_zeros(tmp_path):
    def reference(x, _):
        return torch.linalg.vector_norm(x, 2, 1)

    x = floats(0, 0, 0, 1, -2, 2).reshape(2, 3)
    check_node(tmp_path, "ReduceL2", [x, ints(1)], reference, {"keepdims": 0}, constants=(1,))


def test_product_with_zeros(tmp_path):
    x = floats(2, -3, 4, 0, 5, 2, 0, 0, 3).reshape(3, 3)
    check_node(
        tmp_path,
        "ReduceProd",
        [x, ints(1)],
        lambda x, _: x.prod(1),
        {"keepdims": 0},
        constants=(1,),
    )


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
def test_cum_sum(tmp_path, exclusive, reverse):
    def reference(x, _):
        y = x.flip(1) if reverse else x
        total = y.cumsum(1)
        total = total - y if exclusive else total
        return total.flip(1) if reverse else total

    attributes = {"exclusive": exclusive, "reverse": reverse}
    inputs = [normal(2, 5), np.array(1, np.int64)]
    check_node(tmp_path, "CumSum", inputs, reference, attributes, constants=(1,))
