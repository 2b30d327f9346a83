"""From setters to qconfigs that fit together."""

from typing import Any

from torch import nn

from ...ptq import resolve
from .._canonicalize.run import Canonical
from .._record.graph import Recording
from .._setters.base import Setters
from .._setters.context import SetterContext
from .._setters.run import Requests, run_setters
from ..fx.graph_optimizers import QconfigCanonicalizer
from .fuse import Members


def configure(
    model: nn.Module,
    recording: Recording,
    members: Members,
    setters: Setters,
    example_inputs: tuple[tuple, dict[str, Any]],
    target: str,
) -> tuple[Requests, Canonical]:
    """Run the setters, and make what they ask for fit together under the target's policy."""
    args, kwargs = example_inputs
    context = SetterContext(model, recording, args, kwargs, members)
    requests = run_setters(setters, context)
    canonical = QconfigCanonicalizer.canonicalize(
        recording,
        requests.qconfigs,
        target_policy=policy_of(target),
        ranking=requests.ranking,
        optimize=requests.optimize,
    )
    return requests, canonical


def policy_of(target: str) -> str:
    """What a target does with products of two 16-bit inputs: "v1" or "v2"."""
    nothing = {"inputs": [{"name": "x", "shape": [1]}], "outputs": ["x"], "nodes": []}
    return resolve(nothing, target=target)["policy"]
