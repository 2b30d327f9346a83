"""Attention in steps: the numbers, parameters and modes of torch.nn's, and nothing fused."""

import copy
import pickle
import random

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from torch import nn
from twofold.nn import _attention as attention
from twofold.nn._attention import COMPOSITES, open_up
from twofold.quantization._ops import bind_function, op_of_module
from twofold.quantization._ops.op import Kind

# float32 products of a few dozen numbers, added up in another order.
CLOSE = {"rtol": 1e-5, "atol": 3e-6}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def opened(module):
    """A copy in steps."""
    other = copy.deepcopy(module)
    open_up(other)
    return other


def perhaps():
    return random.random() < 0.5


def random_mask(*shape, is_bool):
    """One that leaves every query something."""
    left_out = torch.rand(shape) < 0.3
    left_out[..., 0] = False
    return left_out if is_bool else torch.randn(shape).masked_fill(left_out, -torch.inf)


def random_attention(case):
    """A module, its inputs and the other arguments of a call."""
    random.seed(case)
    torch.manual_seed(case)
    heads, batch, length, keys = random.choice((1, 2, 4)), 2, 3, random.choice((3, 5))
    kdim, vdim = (5, 6) if random.random() < 0.3 else (None, None)
    batch_first, is_batched = perhaps(), random.random() < 0.8
    module = nn.MultiheadAttention(
        8,
        heads,
        bias=perhaps(),
        add_bias_kv=perhaps(),
        add_zero_attn=perhaps(),
        kdim=kdim,
        vdim=vdim,
        batch_first=batch_first,
    )
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)

    def sequence(length, size):
        shape = (batch, length) if batch_first else (length, batch)
        return torch.randn(*(shape if is_batched else (length,)), size)

    query = sequence(length, 8)
    if kdim is None and perhaps():
        inputs, keys = (query,) * 3, length
    else:
        inputs = (query, sequence(keys, kdim or 8), sequence(keys, vdim or 8))
    arguments = {"need_weights": perhaps(), "average_attn_weights": perhaps()}
    is_bool = perhaps()
    if perhaps():
        shape = (batch, keys) if is_batched else (keys,)
        arguments["key_padding_mask"] = random_mask(*shape, is_bool=is_bool)
    if perhaps():
        first = () if perhaps() else ((batch if is_batched else 1) * heads,)
        arguments["attn_mask"] = random_mask(*first, length, keys, is_bool=is_bool)
    return module, inputs, arguments


@pytest.mark.parametrize("case", range(80))
@pytest.mark.parametrize("training", [True, False])
def test_random_attention(case, training):
    module, inputs, arguments = random_attention(case)
    module.train(training)
    other = opened(module)
    assert type(other) is attention.MultiheadAttention
    expected, result = module(*inputs, **arguments), other(*inputs, **arguments)
    torch.testing.assert_close(result, expected, **CLOSE)  # shapes, and None for None, too
    for output in (expected[0], result[0]):
        output.square().sum().backward()
    for mine, theirs in zip(other.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("key_is_bool", [True, False])
def test_masks_of_two_types(key_is_bool):
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(2, 3, 8)
    masks = {
        "key_padding_mask": random_mask(2, 3, is_bool=key_is_bool),
        "attn_mask": random_mask(3, 3, is_bool=not key_is_bool),
    }
    with pytest.warns(UserWarning, match="mismatched"):
        expected = module(x, x, x, **masks)
    torch.testing.assert_close(opened(module)(x, x, x, **masks), expected, **CLOSE)


def test_dropout_draws_pytorchs_numbers():
    module = nn.MultiheadAttention(8, 2, dropout=0.4)
    other = opened(module)
    x = torch.randn(5, 3, 8)
    torch.manual_seed(3)
    expected = module(x, x, x)[0]
    torch.manual_seed(3)
    result = other(x, x, x)[0]
    torch.testing.assert_close(result, expected, **CLOSE)
    without = other.eval()(x, x, x)[0]
    torch.testing.assert_close(without, module.eval()(x, x, x)[0], **CLOSE)
    assert not torch.allclose(result, without)


@pytest.mark.parametrize("case", range(40))
def test_random_products(case):
    random.seed(case)
    torch.manual_seed(case)
    batch = random.choice(((), (2,), (2, 3)))
    heads = random.choice((1, 2, 4)) if batch and perhaps() else 4
    query = torch.randn(*batch, 4, 3, 5)
    key, value = torch.randn(*batch, heads, 6, 5), torch.randn(*batch, heads, 6, 5)
    arguments = {"scale": random.choice((None, 0.7)), "enable_gqa": heads < 4}
    if random.random() < 0.3:
        arguments["is_causal"] = True
    elif perhaps():
        # In bool masks True takes part here; some queries are left with nothing, and get 0.
        mask = torch.rand(random.choice(((3, 6), (1, 6), (4, 3, 6)))) < 0.4
        if not perhaps():
            mask = torch.randn(mask.shape).masked_fill(mask, -torch.inf)
        arguments["attn_mask"] = mask
    expected = F.scaled_dot_product_attention(query, key, value, **arguments)
    result = attention.scaled_dot_product_attention(query, key, value, **arguments)
    torch.testing.assert_close(result, expected, **CLOSE)


def test_dropout_of_products():
    query = torch.ones(1, 1, 64, 1)
    result = attention.scaled_dot_product_attention(query, query, query, dropout_p=0.5)
    # 64 weights of 1/64, each 0 or doubled: the result counts them.
    assert ((result * 32) % 1 == 0).all() and len(result.unique()) > 5


def test_a_query_that_is_left_nothing_gets_nothing():
    query = torch.randn(1, 2, 3, requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]])
    result = attention.scaled_dot_product_attention(query, query, query, mask)
    assert result[0, 1].tolist() == [0, 0, 0] and result[0, 0].abs().sum() > 0
    result.sum().backward()
    assert query.grad.isfinite().all()


class Named(torch.Tensor):
    """Notes the operators that functions with it are; those that compute, and all."""

    computed: list[str] = []
    unknown: list[str] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        found = bind_function(func, args, kwargs or {})
        result = super().__torch_function__(func, types, args, kwargs or {})
        if found is not None and found[0].kind is not Kind.MOVE:
            cls.computed.append(found[0].name)
        if found is None and isinstance(result, torch.Tensor):
            cls.unknown.append(func.__name__)
        return result


def steps(call, *tensors):
    Named.computed, Named.unknown = [], []
    with torch.no_grad():
        call(*[tensor.as_subclass(Named) for tensor in tensors])
    assert Named.unknown == []
    return Named.computed


PROJECTIONS = ["linear", "linear", "linear"]


def test_steps():
    module = opened(nn.MultiheadAttention(8, 2, batch_first=True)).eval()
    x = torch.randn(2, 3, 8)
    attend = ["mul", "matmul", "softmax", "matmul", "linear"]
    assert steps(lambda x: module(x, x, x, need_weights=False), x) == PROJECTIONS + attend
    mask = torch.zeros(3, 3)
    masked = ["mul", "matmul", "masked_softmax", "matmul", "linear", "mean"]
    assert steps(lambda x: module(x, x, x, attn_mask=mask), x) == PROJECTIONS + masked
    query = torch.randn(2, 4, 3, 5)
    product = ["mul", "matmul", "masked_softmax", "matmul"]
    call = lambda q: attention.scaled_dot_product_attention(q, q, q, is_causal=True)  # noqa: E731
    assert steps(call, query) == product


def test_masks_that_are_inputs():
    module = opened(nn.MultiheadAttention(8, 2)).eval()
    x, padding = torch.randn(3, 2, 8), torch.zeros(2, 3, dtype=torch.bool)
    causal = torch.ones(3, 3, dtype=torch.bool).triu(1)

    def call(x, padding, causal):
        return module(x, x, x, padding, need_weights=False, attn_mask=causal)

    masked = ["logical_or", *PROJECTIONS, "mul", "matmul", "masked_softmax", "matmul", "linear"]
    assert steps(call, x, padding, causal) == masked


def test_out_proj_is_a_layer_that_prepare_knows():
    module = opened(nn.MultiheadAttention(8, 2))
    called = []
    module.out_proj.register_forward_hook(lambda *_: called.append(True))
    module(*[torch.randn(3, 2, 8)] * 3)
    assert called and op_of_module(type(module.out_proj)).name == "linear"


def test_composites_stand_for_functions():
    assert COMPOSITES[F.scaled_dot_product_attention] is attention.scaled_dot_product_attention
    module, x = nn.MultiheadAttention(8, 2, add_bias_kv=True).eval(), torch.randn(3, 2, 8)
    called = []

    class Caught(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            with torch._C.DisableTorchFunctionSubclass():
                if func not in COMPOSITES:
                    return func(*args, **kwargs or {})
                called.append(func)
                return COMPOSITES[func](*args, **kwargs or {})

    expected = module(x, x, x, key_padding_mask=torch.tensor([[False, True, False]] * 2))
    caught = x.as_subclass(Caught)
    mask = torch.tensor([[False, True, False]] * 2)
    result = module(caught, caught, caught, key_padding_mask=mask)
    assert called == [F.multi_head_attention_forward]
    torch.testing.assert_close([t.as_subclass(torch.Tensor) for t in result], [*expected], **CLOSE)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, kdim=4, vdim=4)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), num_layers=2
        )


def test_modules_stay_what_they_are():
    model = Model()
    model.encoder.eval()
    module = model.attention
    module.tag = "mine"
    calls = []
    module.register_forward_hook(lambda *_: calls.append("hook"))
    module.register_forward_pre_hook(lambda *_: calls.append("pre-hook"))
    before = {name: tensor.data_ptr() for name, tensor in model.named_parameters()}
    names = [name for name, _ in model.named_modules()]
    open_up(model)
    assert model.attention is module and module.tag == "mine"
    assert module.training and not model.encoder.training
    assert {name: tensor.data_ptr() for name, tensor in model.named_parameters()} == before
    assert [name for name, _ in model.named_modules()] == names
    assert isinstance(module, nn.MultiheadAttention)
    module(torch.randn(3, 8), torch.randn(5, 4), torch.randn(5, 4))
    assert calls == ["pre-hook", "hook"]
    model.load_state_dict(Model().state_dict())
    again = pickle.loads(pickle.dumps(model.encoder))
    assert type(again.layers[1].self_attn) is attention.MultiheadAttention


class OwnForward(nn.MultiheadAttention):
    def forward(self, x):
        return x


class OwnLayer(nn.TransformerEncoderLayer):
    def _ff_block(self, x):
        return 2 * x


def test_classes_of_users_keep_their_forward():
    model = nn.ModuleList([OwnForward(8, 2), OwnLayer(8, 2, batch_first=True)]).eval()
    open_up(model)
    assert type(model[0]) is OwnForward and type(model[1]) is OwnLayer
    assert model[0]("x") == "x"
    with torch.no_grad():  # where the fused kernel would not have called _ff_block
        x = torch.randn(2, 3, 8)
        hidden = model[1].norm1(x + model[1]._sa_block(x, None, None))
        torch.testing.assert_close(model[1](x), model[1].norm2(3 * hidden), **CLOSE)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested")
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_transformers(norm_first, activation, training, grad):
    model = nn.Transformer(
        8, 2, 2, 2, 16, 0.0, activation, batch_first=True, norm_first=norm_first
    ).train(training)
    other = opened(model)
    source, target = torch.randn(2, 5, 8), torch.randn(2, 4, 8)
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    arguments = {
        "tgt_mask": causal,
        "src_key_padding_mask": padding,
        "memory_key_padding_mask": padding,  # so that nobody sees what padding became
    }
    with torch.set_grad_enabled(grad):
        expected, result = (m(source, target, **arguments) for m in (model, other))
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_causal", [None, True, False])
def test_encoders(is_causal):
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8)).eval()
    other = opened(encoder)
    assert type(other) is attention.TransformerEncoder
    x, mask = torch.randn(2, 4, 8), nn.Transformer.generate_square_subsequent_mask(4)
    expected = encoder(x, mask, is_causal=is_causal)
    torch.testing.assert_close(other(x, mask, is_causal=is_causal), expected, **CLOSE)
    torch.testing.assert_close(other(x), encoder(x), **CLOSE)


def test_encoders_take_no_fused_kernel():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = opened(nn.TransformerEncoder(layer, 1)).eval()
    x, padding = torch.randn(2, 4, 8), torch.zeros(2, 4, dtype=torch.bool)
    called = steps(lambda x, m: encoder(x, src_key_padding_mask=m), x, padding)
    assert called == [
        *PROJECTIONS,
        *["mul", "matmul", "masked_softmax", "matmul", "linear", "add", "layer_norm"],
        *["linear", "relu", "linear", "add", "layer_norm"],
    ]


def test_wrong_use():
    module, x = opened(nn.MultiheadAttention(8, 2)), torch.randn(3, 2, 8)
    with pytest.raises(twofold.Error, match="is_causal only says what attn_mask is"):
        module(x, x, x, is_causal=True)
    with pytest.raises(twofold.Error, match="query, key and value need 3 axes each"):
        module(x, x[0], x)
    with pytest.raises(twofold.Error, match="key_padding_mask needs one axis less than key"):
        module(x, x, x, torch.zeros(3, dtype=torch.bool))
    with pytest.raises(twofold.Error, match="attn_mask needs the shape"):
        module(x, x, x, attn_mask=torch.zeros(3))
    with pytest.raises(twofold.Error, match=r"a mask is bool or float, not torch\.uint8"):
        module(x, x, x, attn_mask=torch.zeros(3, 3, dtype=torch.uint8))
    with pytest.raises(twofold.Error, match="give attn_mask or is_causal, not both"):
        attention.scaled_dot_product_attention(x, x, x, torch.zeros(2, 2), is_causal=True)
    weights = (module.in_proj_weight, None, None, None, False, 0.0, module.out_proj.weight, None)
    with pytest.raises(twofold.Error, match="static_k and static_v are not there"):
        attention.multi_head_attention_forward(x, x, x, 8, 2, *weights, static_k=x)
