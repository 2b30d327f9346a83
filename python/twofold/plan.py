"""Plans: what every operand of a model is to be, and all that follows from it."""

import json
import os
from pathlib import Path
from typing import Any

from . import _twofold
from ._arguments import optional_path


class Plan:
    """A plan file (docs/config.md), read and checked. Its operands are rows.

    `quantize(model, from_plan=path)` makes the model that the plan was made with, without data.
    """

    def __init__(self, text: str, label: str = "plan"):
        """`text` is that of a plan file. Raises `twofold.Error` that names what is wrong in it."""
        self._text = _twofold.normalized_plan(text, label)
        self._content = json.loads(self._text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Plan":
        """The plan in a file. Raises `twofold.Error`."""
        name = optional_path(path, "path")
        try:
            return cls(Path(name).read_text(encoding="utf-8"), name)
        except OSError as error:
            raise _twofold.Error(f"cannot read '{name}': {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise _twofold.Error(f"'{name}' is no plan file: it is not UTF-8 text") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the plan to a file, whole or not at all."""
        _twofold.save_plan(self._text, optional_path(path, "path"))

    @property
    def operands(self) -> list[dict[str, Any]]:
        """A row per operand, in graph order, with the file's keys (node, operand ...)."""
        return self._content["operands"]

    @property
    def equalizations(self) -> list[dict[str, Any]]:
        """A row per tensor whose channels were made even: tensor, nodes, exponents.

        Where a Mul in front of its readers does it, `inserted` is there and True. Operands are
        those of the model after that.
        """
        return self._content.get("equalizations", [])

    @property
    def nodes(self) -> list[dict[str, str]]:
        """Name, op_type and hashes of every node of the model, in graph order."""
        return self._content["nodes"]

    @property
    def target(self) -> str:
        """The target that the plan was made for."""
        return self._content["target"]

    @property
    def model_hash(self) -> str:
        """Of the model's nodes and how they are connected."""
        return self._content["model_hash"]

    @property
    def content_hash(self) -> str:
        """Of that and of attributes and weights; empty where an older version wrote the plan."""
        return self._content.get("content_hash", "")

    @property
    def notes(self) -> list[str]:
        """What is worth knowing, and requests that found nothing to apply to."""
        return self._content["notes"] + self._content["unmet"]

    def __str__(self) -> str:
        """The text of the file."""
        return self._text

    def __eq__(self, other: object) -> bool:
        """Whether both are the same plan."""
        return isinstance(other, Plan) and self._text == other._text

    __hash__ = None  # type: ignore[assignment]
