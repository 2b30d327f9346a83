"""Which layer a node of an exported ONNX file was."""

import re
from collections.abc import Iterable, Sequence

from .._ops.op import Kind
from .context import SetterContext

_NODE = re.compile(r"^([A-Za-z]+?)(?:_(\d+))?$")

# What exporters write for an operator, where that is one node of another name.
_TYPES = {
    "linear": ("Gemm", "MatMul"),
    "addmm": ("Gemm",),
    "mm": ("Gemm", "MatMul"),
    "bmm": ("MatMul",),
    "baddbmm": ("MatMul",),
    "mv": ("MatMul",),
    "einsum": ("Einsum", "MatMul"),
    "cat": ("Concat",),
    "stack": ("Concat",),
    "maximum": ("Max",),
    "minimum": ("Min",),
    "mean": ("ReduceMean",),
    "sum": ("ReduceSum",),
    "amax": ("ReduceMax",),
    "amin": ("ReduceMin",),
    "interpolate": ("Resize",),
    "layer_norm": ("LayerNormalization",),
    "batch_norm": ("BatchNormalization",),
    "instance_norm": ("InstanceNormalization",),
    "group_norm": ("GroupNormalization",),
    "adaptive_avg_pool2d": ("GlobalAveragePool", "AveragePool"),
    "avg_pool1d": ("AveragePool",),
    "avg_pool2d": ("AveragePool",),
    "avg_pool3d": ("AveragePool",),
}


class Provenance:
    """The layers of a context, by the names that exporters give to nodes and constants.

    Known are names of layers ("backbone.conv1", as Twofold's own export has them) and the scopes of
    torch.onnx.export ("/backbone/conv1/Conv"; "/attn/MatMul_1" is the second matmul in attn).
    `nodes` are the names of all nodes: the k-th of a type in a scope is found only where the model
    has as many such calls there, since it would be a guess otherwise.
    """

    def __init__(self, context: SetterContext, nodes: Iterable[str] = ()):
        self._context = context
        self._modules = {path for path, _ in context.model.named_modules(remove_duplicate=False)}
        self._nodes = set(nodes)

    def layer_of_node(self, node: str) -> str | None:
        """The layer, or None where it is none or cannot be told."""
        exact = self._context.names.exact(node)
        if exact is not None or "/" not in node:
            return exact
        last = node.rpartition("/")[2]
        path, match = self._path(node), _NODE.match(last)
        if path is None or match is None:
            return None
        layer = self.layer_around(node)
        if layer is not None:
            return layer if match[1] in self._types(layer) else None
        return self._generated(path, node[: -len(last)], match[1], int(match[2] or 0))

    def layer_around(self, node: str) -> str | None:
        """The layer in whose scope a node is: a Linear's addition, say, or an activation fused."""
        path = self._path(node) if "/" in node else node
        return self._context.names.exact(path) if path else None

    def layer_of_constant(self, constant: str) -> str | None:
        """The layer that owns a parameter ("head.weight")."""
        return self._context.names.exact(constant.rpartition(".")[0])

    def _path(self, node: str) -> str | None:
        """A scope is a path below the module around it, or below one that is around that."""
        path = ""
        for scope in node.strip("/").split("/")[:-1]:
            found = None
            for above in _and_above(path):
                candidate = f"{above}.{scope}" if above else scope
                if candidate in self._modules and candidate.startswith(f"{path}." if path else ""):
                    found = candidate
                    break
            if found is None:
                return None
            path = found
        return path

    def _generated(self, scope: str, prefix: str, op_type: str, number: int) -> str | None:
        start = f"{scope}._generated_" if scope else "_generated_"
        layers = [
            name
            for name in self._context.layers
            if name.startswith(start) and op_type in self._types(name)
        ]
        alike = {prefix + op_type, *(f"{prefix}{op_type}_{i}" for i in range(1, len(layers)))}
        there = {node for node in self._nodes if _is_one(node, prefix, op_type)}
        return layers[number] if layers and there == alike else None

    def _types(self, layer: str) -> Sequence[str]:
        recorded = self._context.layers[layer]
        name = recorded.op.name
        if recorded.kind is Kind.GEMM and name.startswith("conv"):
            return ("ConvTranspose",) if name.startswith("conv_transpose") else ("Conv",)
        return _TYPES.get(name, (_camel(name),))


def _is_one(node: str, prefix: str, op_type: str) -> bool:
    match = _NODE.match(node.removeprefix(prefix)) if node.startswith(prefix) else None
    return match is not None and match[1] == op_type


def _and_above(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""


def _camel(name: str) -> str:
    """leaky_relu -> LeakyRelu; exceptions are ONNX's."""
    words = {"matmul": "MatMul", "prelu": "PRelu", "hardswish": "HardSwish"}
    words["hardsigmoid"] = "HardSigmoid"
    return words.get(name) or "".join(word.capitalize() for word in name.split("_"))
