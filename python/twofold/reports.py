"""What reports and descriptions hold, for type checkers. All of them are plain dicts.

docs/cli.md explains the keys. Numbers that JSON has no form for, of metrics and thresholds, are the
words "inf", "-inf" and "nan": `float()` takes both.
"""

from typing import Literal, TypedDict

__all__ = [
    "InspectReport",
    "LoweredNode",
    "Node",
    "OperandRow",
    "PassRow",
    "QuantizeReport",
    "StageRow",
    "TensorInfo",
    "TensorRow",
    "VerifyReport",
]

_Number = float | Literal["inf", "-inf", "nan"]


class TensorInfo(TypedDict):
    """An input or output of a model. A dimension that is not fixed is -1; no shape: no rank."""

    name: str
    dtype: str
    shape: list[int] | None


class OperandRow(TypedDict):
    """What was asked for one operand of a node, what it got, and why."""

    node: str
    op_type: str
    operand: str
    tensor: str
    asked: str
    granted: str
    decided_by: str
    reason: str
    method: str
    threshold: _Number


class TensorRow(TypedDict):
    """How near a tensor of the second model is to that of the first; no steps: no integers."""

    tensor: str
    node: str
    op_type: str
    metrics: dict[str, _Number]
    equal_share: float
    largest_steps: _Number | None


class StageRow(TypedDict):
    """What a stage of a job took; memory is the process's, up to the end of the stage."""

    stage: str
    seconds: float
    peak_memory_bytes: int


class InputRange(TypedDict):
    """What calibration saw of a float32 input of the model."""

    input: str
    min: float
    max: float


class QuantizeReport(TypedDict):
    """What `twofold.quantize` returns."""

    model: str
    output: str
    target: str
    operand_counts: dict[str, int]
    file_bytes: int
    notes: list[str]
    inputs: list[InputRange]
    outputs: list[TensorRow]
    stages: list[StageRow]
    operands: list[OperandRow]
    tensors: list[TensorRow]


class VerifyReport(TypedDict):
    """What `twofold.verify` returns."""

    reference: str
    other: str
    outputs: list[TensorRow]
    tensors: list[TensorRow]
    first_difference: str | None
    notes: list[str]


class Node(TypedDict):
    """A node of a model, and the nodes of the file that it stands for."""

    name: str
    op_type: str
    inputs: list[str]
    outputs: list[str]
    origins: list[str]


class LoweredNode(TypedDict):
    """How a node runs, and why it does so in float."""

    name: str
    op_type: str
    kind: str
    why: str
    ec_passes: int
    origins: list[str]


# A pass, how often it rewrote something, and its time.
PassRow = TypedDict("PassRow", {"pass": str, "rewrites": int, "seconds": float})


class InspectReport(TypedDict):
    """What `twofold.inspect` returns."""

    model: str
    file_bytes: int
    parameters: int
    inputs: list[TensorInfo]
    outputs: list[TensorInfo]
    unsupported: list[str]
    passes: list[PassRow]
    nodes: list[Node]
    simplified: list[Node]
    lowering: list[PassRow]
    lowered: list[LoweredNode]
