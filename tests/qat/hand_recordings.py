"""Recordings written by hand, for tests of what works on them."""

import torch
from torch import nn
from twofold.nn._operator import GeneratedOperator
from twofold.quantization._ops import OPS_BY_NAME
from twofold.quantization._record.graph import Layer, Recording, Value
from twofold.quantization._setters.context import SetterContext

OP_OF_MODULE = {
    nn.Conv2d: "conv2d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.Linear: "linear",
    nn.ReLU: "relu",
    nn.BatchNorm2d: "batch_norm",
    nn.Flatten: "flatten",
}


class Hand:
    """A model and its recording, call by call.

    `x = hand.stub("quant", (1, 4))`, `y = hand("fc", nn.Linear(4, 3), x)`,
    `z = hand("block._generated_add_0", "add", x, y)`. Shapes are those of a real run.
    """

    def __init__(self):
        self.model = nn.Module()
        self.recording = Recording()
        self.members = {}
        self._calls = {}

    def input(self, *shape, quantized=False):
        value = Value(torch.zeros(shape), is_input=True, quantized=quantized)
        self.recording.inputs.append(value)
        return value

    def constant(self, *shape):
        return Value(torch.ones(shape))

    def stub(self, name, shape, scale=None):
        """A QuantStub, with an input of its own."""
        from twofold.quantization.stubs import QuantStub

        return self._add(name, "quant", QuantStub(scale), [self.input(*shape)], quantized=True)

    def dequant(self, name, value):
        from torch.ao.quantization import DeQuantStub

        return self._add(name, "dequant", DeQuantStub(), [value], quantized=False)

    def __call__(self, name, kind, *values, **attributes):
        """One call: `kind` is a module of torch.nn or the name of an operator."""
        if isinstance(kind, nn.Module):
            op_name, module = OP_OF_MODULE[type(kind)], kind
        else:
            return self._functional(name, OPS_BY_NAME[kind], values, attributes)
        weights = [Value(p) for p in getattr(module, "_parameters", {}).values() if p is not None]
        quantized = any(value.quantized for value in values)
        return self._add(name, op_name, module, [*values, *weights], quantized, **attributes)

    def _functional(self, name, op, values, keywords):
        """A call that its own binder understands."""
        tensors = [value.tensor for value in values]
        args = (tensors,) if op.name in ("cat", "stack") else tuple(tensors)
        bound = next(iter(op.functions.values()))(args, keywords)
        by_tensor = {id(value.tensor): value for value in values}
        inputs = [None if t is None else by_tensor[id(t)] for t in bound.inputs]
        module = None if op.kind.value == "move" else GeneratedOperator(op)
        quantized = any(value.quantized for value in values)
        return self._add(name, op.name, module, inputs, quantized, **bound.attributes)

    def again(self, name, *values):
        """Another call of a module that is there."""
        first = next(layer for layer in self.recording.layers if layer.name == name)
        first.called_once = False
        value = self._add(
            name, first.op.name, first.module, [*values, *first.inputs[len(values) :]]
        )
        value.layer.called_once = False
        return value

    def output(self, *values):
        self.recording.outputs.extend(values)

    def context(self, *args, **kwargs):
        return SetterContext(self.model, self.recording, *args, members=self.members, **kwargs)

    def layer(self, name):
        return next(layer for layer in self.recording.layers if layer.name == name)

    def _add(self, name, op_name, module, inputs, quantized=True, **attributes):
        op = OPS_BY_NAME[op_name]
        if module is not None:
            self._place(name, module)
        call = self._calls.get(name, 0)
        self._calls[name] = call + 1
        layer = Layer(name, op, module, inputs, attributes, call=call)
        for position, value in enumerate(inputs):
            if value is not None:
                value.readers.append((layer, position))
        tensor = self._computed(module, op, inputs, attributes)
        value = Value(tensor, layer, quantized=quantized)
        layer.outputs.append(value)
        self.recording.layers.append(layer)
        return value

    def _place(self, path, module):
        *scopes, last = path.split(".")
        parent = self.model
        for scope in scopes:
            if scope not in parent._modules:
                parent.add_module(scope, nn.Module())
            parent = parent._modules[scope]
        if last not in parent._modules:
            parent.add_module(last, module)

    def _computed(self, module, op, inputs, attributes):
        with torch.no_grad():
            if isinstance(module, tuple(OP_OF_MODULE)):
                return module.eval()(inputs[0].tensor)
            return op.compute([v if v is None else v.tensor for v in inputs], attributes)
