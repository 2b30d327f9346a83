"""One ONNX graph and the same function in PyTorch: their gradients are compared."""

import subprocess
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

PROGRAM = Path(__file__).parents[2] / "build" / "print_gradients"

random = np.random.default_rng(1)


def normal(*shape):
    return random.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return random.uniform(0.3, 2.0, shape).astype(np.float32)


def inside(*shape):
    return random.uniform(-0.9, 0.9, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


class Gradients:
    """What print_gradients says of a model."""

    def __init__(self, model, sample, folder, passes=False):
        """Runs it; `sample` holds inputs and cotangents."""
        onnx.save(model, folder / "model.onnx")
        np.savez(folder / "sample.npz", **sample)
        command = [PROGRAM, folder / "model.onnx", folder / "sample.npz", folder]
        run = subprocess.run(
            command + ["--passes"] * passes, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, (run.returncode, run.stderr)
        self.outputs, self.gradients, self.incomplete, self.without_rule = {}, {}, [], []
        for line in run.stdout.splitlines():
            if line.startswith("without rule "):
                self.without_rule.append(line.removeprefix("without rule "))
            elif line.startswith("incomplete "):
                self.incomplete.append(line.removeprefix("incomplete "))
            else:
                kind, number, name = line.split(" ", 2)
                arrays = self.outputs if kind == "output" else self.gradients
                arrays[name] = np.load(folder / f"{number}.npy")


def one_node(op, inputs, attributes, constants, outputs, opset):
    """A model of one node; the inputs in `constants` (by position) are initializers."""
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, name="n", **attributes)
    given, fixed = [], []
    for i, x in enumerate(inputs):
        if x is None:
            continue
        if i in constants:
            fixed.append(numpy_helper.from_array(x, names[i]))
        else:
            dtype = helper.np_dtype_to_tensor_dtype(x.dtype)
            given.append(helper.make_tensor_value_info(names[i], dtype, x.shape))
    of_float = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in results]
    graph = helper.make_graph([node], "g", given, of_float, fixed)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def assert_close(actual, expected, what, tolerance=1e-4):
    """Equal up to `tolerance` of the largest element.

    Both sum float32 products in orders of their own; sums of some thousand terms then differ by
    about 1e-5 of the largest, a term that is missing or at the wrong place by more than 1e-2.
    """
    assert actual.shape == expected.shape, what
    largest = max(np.abs(expected).max(initial=0), 1e-6)
    worst = np.abs(actual - expected).max(initial=0)
    assert worst <= tolerance * largest, f"{what}: off by {worst}, of {largest}"


def check_node(folder, op, inputs, reference, attributes=None, **options):
    """Compares a node's gradients in all float inputs that are not constants with autograd's.

    `reference` takes the inputs as float64 tensors and returns the output, or a tuple.
    """
    constants = options.get("constants", ())
    outputs = options.get("outputs", 1)
    opset = options.get("opset", 21)
    tensors = []
    for i, x in enumerate(inputs):
        if x is None or x.dtype != np.float32:
            tensors.append(None if x is None else torch.from_numpy(x))
        else:
            tensors.append(torch.tensor(x, dtype=torch.float64, requires_grad=i not in constants))
    results = reference(*tensors)
    results = results if isinstance(results, tuple) else (results,)
    random = np.random.default_rng(5)
    cotangents = [random.standard_normal(tuple(y.shape)).astype(np.float32) for y in results]
    wanted = [(i, t) for i, t in enumerate(tensors) if t is not None and t.requires_grad]
    expected = torch.autograd.grad(
        results,
        [t for _, t in wanted],
        [torch.tensor(v, dtype=torch.float64) for v in cotangents],
        allow_unused=True,
    )
    model = one_node(op, inputs, attributes or {}, constants, outputs, opset)
    sample = {f"x{i}": x for i, x in enumerate(inputs) if x is not None and i not in constants}
    for i in range(outputs):
        # Outputs that the reference leaves out take no part.
        zeros = np.zeros(1, np.float32)
        sample[f"cotangent:y{i}"] = cotangents[i] if i < len(cotangents) else zeros
    found = Gradients(model, sample, folder)
    for i, y in enumerate(results):
        assert_close(found.outputs[f"y{i}"], y.detach().numpy(), f"output {i}")
    assert not found.incomplete and not found.without_rule
    for (i, tensor), gradient in zip(wanted, expected, strict=True):
        zeros = torch.zeros_like(tensor)
        gradient = zeros if gradient is None else gradient
        actual = found.gradients.get(f"x{i}", zeros.numpy())
        assert_close(actual, gradient.numpy(), f"gradient of input {i}")
