"""Shapes, orders, repetitions, copies, casts and padding: every spelling, and its ONNX."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from call_cases import cases, check, check_layer
from ops_cases import bound_call
from torch import nn
from twofold.quantization._ops import bind_function, bind_module, op_of_module
from twofold.quantization._ops.op import Kind


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


OF_3_AXES = {  # [2, 3, 4]
    "reshape": [
        lambda x: x.view(2, 12),
        lambda x: x.view(-1, 4),
        lambda x: x.view((6, 4)),
        lambda x: x.view(torch.Size((24,))),
        lambda x: x.view(size=(24,)),
        lambda x: x.reshape(4, -1),
        lambda x: x.reshape([24]),
        lambda x: x.reshape(shape=(1, 24)),
        lambda x: torch.reshape(x, (2, 2, -1)),
        lambda x: torch.reshape(x, shape=[24]),
    ],
    "flatten": [
        lambda x: x.flatten(),
        lambda x: x.flatten(1),
        lambda x: torch.flatten(x, -2, -1),
        lambda x: torch.flatten(x, start_dim=0, end_dim=-2),
        lambda x: x.flatten(start_dim=1, end_dim=1),
        lambda x: x.ravel(),
        lambda x: torch.ravel(x),
    ],
    "unflatten": [
        lambda x: x.unflatten(-1, (2, 2)),
        lambda x: x.unflatten(dim=1, sizes=(3, 1)),
        lambda x: torch.unflatten(x, 0, (1, -1)),
    ],
    "permute": [
        lambda x: x.permute(0, 2, 1),
        lambda x: x.permute((-1, 0, 1)),
        lambda x: x.permute(dims=(1, 0, 2)),
        lambda x: torch.permute(x, (2, 0, 1)),
        lambda x: torch.permute(x, dims=(2, 1, 0)),
        lambda x: x.transpose(0, -1),
        lambda x: x.transpose(dim0=0, dim1=1),
        lambda x: x.transpose_(0, 1),
        lambda x: torch.transpose(x, 1, 2),
        lambda x: x.swapaxes(0, 1),
        lambda x: torch.swapaxes(x, axis0=0, axis1=1),
        lambda x: x.swapdims(0, 2),
        lambda x: torch.swapdims(x, dim0=-1, dim1=0),
        lambda x: x.mT,
        lambda x: x.mH,
        lambda x: x.adjoint(),
        lambda x: torch.adjoint(x),
        lambda x: x.movedim(0, 2),
        lambda x: torch.movedim(x, (0, 1), (-1, 0)),
        lambda x: x.moveaxis(-1, 0),
        lambda x: torch.moveaxis(x, source=0, destination=1),
    ],
    "unsqueeze": [
        lambda x: x.unsqueeze(0),
        lambda x: x.unsqueeze(dim=-2),
        lambda x: x.unsqueeze_(1),
        lambda x: torch.unsqueeze(x, -1),
    ],
    "squeeze": [lambda x: x.squeeze(), lambda x: x.squeeze(1)],  # nothing of size 1
    "repeat": [
        lambda x: x.repeat(1, 2, 3),
        lambda x: x.repeat((2, 1, 1, 2)),
        lambda x: x.repeat(repeats=(1, 1, 2)),
        lambda x: x.tile(2),
        lambda x: x.tile((1, 2)),
        lambda x: torch.tile(x, (2, 1, 1, 1)),
        lambda x: torch.tile(x, dims=(3,)),
    ],
    "repeat_interleave": [
        lambda x: x.repeat_interleave(3),
        lambda x: x.repeat_interleave(2, 1),
        lambda x: x.repeat_interleave(repeats=2, dim=-3),
        lambda x: torch.repeat_interleave(x, 2, dim=-1),
    ],
    "roll": [
        lambda x: x.roll(1),
        lambda x: x.roll(shifts=(1,), dims=(2,)),
        lambda x: x.roll(7, ()),
        lambda x: torch.roll(x, -2, 1),
        lambda x: torch.roll(x, (1, 5), (0, -1)),
    ],
    "flip": [
        lambda x: x.flip(0),
        lambda x: x.flip(0, -1),
        lambda x: x.flip(()),
        lambda x: torch.flip(x, (1,)),
        lambda x: torch.flip(x, dims=[1, 2]),
        lambda x: x.fliplr(),
        lambda x: x.flipud(),
        lambda x: torch.fliplr(x),
        lambda x: torch.flipud(x),
    ],
    "identity": [
        lambda x: x.contiguous(),
        lambda x: x.clone(),
        lambda x: x.clone(memory_format=torch.contiguous_format),
        lambda x: x.detach(),
        lambda x: x.detach_(),
        lambda x: torch.clone(x),
        lambda x: torch.detach(x),
    ],
    "to": [
        lambda x: x.to(torch.float32),
        lambda x: x.to("cpu"),
        lambda x: x.to(torch.device("cpu"), torch.float32, copy=True),
        lambda x: x.to(device="cpu", non_blocking=True),
        lambda x: x.to(torch.ones(2)),
        lambda x: x.type_as(torch.ones(2)),
        lambda x: x.type(torch.float32),
        lambda x: x.float(),
        lambda x: x.cpu(),
    ],
    "cast": [
        lambda x: x.to(torch.float64),
        lambda x: x.to("cpu", torch.int32),
        lambda x: x.to(dtype=torch.float16),
        lambda x: x.to(torch.ones(2, dtype=torch.int64)),
        lambda x: x.type_as(torch.ones(2, dtype=torch.bool)),
        lambda x: x.type(torch.float64),
        lambda x: x.double(),
        lambda x: x.half(),
        lambda x: x.long(),
        lambda x: x.int(),
        lambda x: x.short(),
        lambda x: x.char(),
        lambda x: x.bool(),
    ],
    "dropout": [
        lambda x: F.dropout(x, training=False),
        lambda x: F.dropout(x, 0.3, False, inplace=True),
        lambda x: F.dropout(x, 0.0),
        lambda x: F.dropout1d(x, training=False),
        lambda x: F.alpha_dropout(x),
        lambda x: F.feature_alpha_dropout(x),
        lambda x: torch.dropout(x, 0.5, False),
        lambda x: torch.dropout_(x, p=0.5, train=False),
        lambda x: torch.alpha_dropout(x, 0.5, False),
        lambda x: torch.feature_alpha_dropout(x, 0.5, False),
    ],
    "pad": [
        lambda x: F.pad(x, (1, 2)),
        lambda x: F.pad(x, (1, 2, 0, 3), value=0),
        lambda x: F.pad(x, [1, 1, 1, 1, 2, 0]),
        lambda x: F.pad(x, (-1, 2)),
        lambda x: F.pad(x, (0, 0, 0, 0)),
        lambda x: F.pad(x, (1, 2), "reflect"),
        lambda x: F.pad(x, (1, 2), mode="replicate"),
        lambda x: F.pad(x, (1, 2), mode="circular"),
    ],
    "constant_pad": [
        lambda x: F.pad(x, (1, 2), value=1.5),
        lambda x: F.pad(x, (-1, -1, 1, 0), "constant", 2),
        lambda x: F.pad(x, (1, 0), value=float("-inf")),
    ],
    "unfold_axis": [
        lambda x: x.unfold(1, 2, 1),
        lambda x: x.unfold(-1, 3, 2),
        lambda x: x.unfold(dimension=0, size=2, step=1),
    ],
}


@pytest.mark.parametrize(("op", "call"), cases(OF_3_AXES))
def test_of_3_axes(op, call):
    check(call, torch.randn(2, 3, 4), op=op)


MATRICES = [
    lambda x: x.T,
    lambda x: x.H,
    lambda x: x.t(),
    lambda x: x.t_(),
    lambda x: torch.t(x),
]
OF_SIZE_1 = [
    lambda x: x.squeeze(),
    lambda x: x.squeeze(1),
    lambda x: x.squeeze((0, -2)),
    lambda x: x.squeeze(dim=-2),
    lambda x: x.squeeze(()),
    lambda x: x.squeeze_(0),
    lambda x: torch.squeeze(x, 0),
]
BROADCAST = [
    lambda x: x.expand(2, 3, 4),
    lambda x: x.expand(-1, 3, -1),
    lambda x: x.expand((5, 2, -1, 4)),
    lambda x: x.expand(size=(2, 3, 4)),
    lambda x: x.broadcast_to((2, 3, 4)),
    lambda x: torch.broadcast_to(x, size=(2, 3, 4)),
]
IMAGES = [
    lambda x: F.unfold(x, 3),
    lambda x: F.unfold(x, (2, 3), padding=1, stride=2),
    lambda x: F.unfold(x, 2, dilation=2, padding=(1, 2), stride=(1, 2)),
    lambda x: F.unfold(x, kernel_size=2, stride=2),
]


@pytest.mark.parametrize("call", MATRICES)
def test_matrices(call):
    check(call, torch.randn(2, 3), op="permute")


@pytest.mark.parametrize("call", OF_SIZE_1)
def test_axes_of_size_1(call):
    check(call, torch.randn(1, 3, 1, 2), op="squeeze")


@pytest.mark.parametrize("call", BROADCAST)
def test_broadcasting(call):
    check(call, torch.randn(2, 1, 4), op="expand")


@pytest.mark.parametrize("call", IMAGES)
def test_windows_of_images(call):
    check(call, torch.randn(2, 3, 6, 7), op="unfold")
    check(call, torch.randn(3, 6, 7), op="unfold")


def test_shapes_of_other_tensors():
    x, y = torch.randn(2, 3, 4), torch.randn(2, 12)
    bound = check(lambda x: x.view_as(y), x, op="reshape")
    assert len(bound.inputs) == 1  # only the shape of y is read
    check(lambda x: x.reshape_as(y), x, op="reshape")
    check(lambda x: x.expand_as(torch.empty(2, 3, 4)), x[:, :1], op="expand")


def test_dropout_of_channels():
    check(lambda x: F.dropout2d(x, training=False), torch.randn(2, 3, 4, 5), op="dropout")
    check(lambda x: F.dropout3d(x, 0.0), torch.randn(2, 3, 4, 5, 2), op="dropout")


def test_scalars():
    x = torch.tensor(2.5)
    check(lambda x: x.flatten(), x, op="flatten")
    check(lambda x: x.reshape(1, 1), x, op="reshape")
    check(lambda x: x.expand(3), x, op="expand")
    check(lambda x: x.reshape(()), torch.ones(1), op="reshape")
    check(lambda x: x.to(torch.int64), x, op="cast")


def test_integers():
    check(lambda x: x.float(), torch.arange(5), op="cast")
    check(lambda x: x.to(torch.int64), torch.arange(5), op="to")
    check(lambda x: F.pad(x, (0, 1)), torch.tensor([True, False]), op="pad")


def test_layouts_in_memory():
    x = torch.randn(1, 2, 3, 4)
    check(lambda x: x.contiguous(memory_format=torch.channels_last), x, op="identity")
    op, bound = bound_call(lambda x: x.contiguous(memory_format=torch.channels_last), [x])
    result = op.compute(bound.inputs, bound.attributes)
    assert result.is_contiguous(memory_format=torch.channels_last)


VOLUME, IMAGE, LINE = (1, 2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4)
MODULES = [
    (nn.Identity(), LINE, "identity"),
    (nn.Flatten(), LINE, "flatten"),
    (nn.Flatten(0, 1), LINE, "flatten"),
    (nn.Unflatten(1, (1, 3)), LINE, "unflatten"),
    (nn.Dropout(), LINE, "dropout"),
    (nn.Dropout(inplace=True), LINE, "dropout"),
    (nn.Dropout1d(), LINE, "dropout"),
    (nn.Dropout2d(), IMAGE, "dropout"),
    (nn.Dropout3d(), VOLUME, "dropout"),
    (nn.AlphaDropout(), LINE, "dropout"),
    (nn.FeatureAlphaDropout(), IMAGE, "dropout"),
    (nn.ZeroPad1d((1, 2)), LINE, "pad"),
    (nn.ZeroPad2d(1), IMAGE, "pad"),
    (nn.ZeroPad3d(1), VOLUME, "pad"),
    (nn.ConstantPad1d(1, 0.5), LINE, "constant_pad"),
    (nn.ConstantPad2d((1, 0, 2, 1), 2), IMAGE, "constant_pad"),
    (nn.ConstantPad3d(1, -2.5), VOLUME, "constant_pad"),
    (nn.ReflectionPad1d(2), LINE, "pad"),
    (nn.ReflectionPad2d((1, 2, 0, 1)), IMAGE, "pad"),
    (nn.ReflectionPad3d(1), VOLUME, "pad"),
    (nn.ReplicationPad1d(2), LINE, "pad"),
    (nn.ReplicationPad2d(2), IMAGE, "pad"),
    (nn.ReplicationPad3d(1), VOLUME, "pad"),
    (nn.CircularPad1d(1), LINE, "pad"),
    (nn.CircularPad2d(1), IMAGE, "pad"),
    (nn.CircularPad3d(1), VOLUME, "pad"),
    (nn.Unfold(2, padding=1), IMAGE, "unfold"),
]


@pytest.mark.parametrize(("module", "shape", "op"), MODULES)
def test_modules(module, shape, op):
    check_layer(module, torch.randn(shape), op=op)


@pytest.mark.parametrize("name", ["Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"])
def test_dropout_in_training_draws_pytorchs_numbers(name):
    module = getattr(nn, name)(0.4).train()
    x = torch.randn(8, 5, 3, 3)
    op, bound = op_of_module(type(module)), bind_module(module, (x,), {})
    torch.manual_seed(7)
    result = op.compute(bound.inputs, bound.attributes)
    torch.manual_seed(7)
    assert torch.equal(result, module(x)) and not torch.equal(result, x)
    with pytest.raises(twofold.Error, match=r"dropout: .* call model\.eval\(\) first"):
        op.emit(None, ["x"], bound.attributes)


def test_kinds():
    """What casts, or fills in numbers, has results that need a scale of their own."""
    x = torch.randn(3)
    assert bind_function(torch.Tensor.to, (x, torch.float32), {})[0].kind is Kind.MOVE
    op, _ = bind_function(torch.Tensor.to, (x, torch.int32), {})
    assert op.kind is Kind.COMPUTE and op.quantized == ()
    assert bind_function(F.pad, (x, (1, 1)), {})[0].kind is Kind.MOVE
    assert bind_function(F.pad, (x, (1, 1)), {"value": 1.0})[0].kind is Kind.COMPUTE


def test_wrong_use():
    x = torch.randn(2, 3)
    with pytest.raises(TypeError, match="reshape: a view as torch.int32 is not there"):
        bind_function(torch.Tensor.view, (x, torch.int32), {})
    with pytest.raises(TypeError, match="reshape: .*float.* integer"):
        bind_function(torch.Tensor.view, (x, 1.5, 4), {})
    with pytest.raises(TypeError, match="repeat_interleave: repeats is a tensor"):
        bind_function(torch.repeat_interleave, (x, torch.tensor([1, 2]), 0), {})
    with pytest.raises(TypeError, match="permute: missing a required argument: 'dim1'"):
        bind_function(torch.transpose, (x, 0), {})
    with pytest.raises(TypeError, match="to: give a torch.dtype, not 'torch.FloatTensor'"):
        bind_function(torch.Tensor.type, (x, "torch.FloatTensor"), {})
