"""A model as programs have it: a file, its bytes, or an onnx.ModelProto."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from ._twofold import Error

# What a model without a file is called in messages, and in the file that is made of it.
_NAME = "model.onnx"


@runtime_checkable
class ModelProto(Protocol):
    """onnx.ModelProto, which Twofold does without."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802, D102, onnx.ModelProto's


Model = str | os.PathLike[str] | bytes | ModelProto


def content_of(model: bytes | ModelProto) -> bytes:
    """What a file of the model would hold. Raises `twofold.Error` where it is larger than 2 GB."""
    try:
        return model if isinstance(model, bytes) else model.SerializeToString()
    except Exception as error:  # that of protobuf, which has had several
        raise Error(
            f"the model cannot be serialized: {error}; save it with "
            "onnx.save(model, path, save_as_external_data=True), and give the path"
        ) from error


def shown_name(model: Model) -> str:
    """What reports call the model."""
    return _NAME if isinstance(model, bytes | ModelProto) else os.fsdecode(model)


def path_of(model: object, argument: str = "model") -> str:
    """The path as text. Raises `twofold.Error` where it is something else."""
    if isinstance(model, str | os.PathLike):
        return os.fsdecode(model)
    raise Error(
        f"{argument} is of type {type(model).__name__}; it must be a path, bytes or an "
        "onnx.ModelProto"
    )


@contextmanager
def as_file(model: Model, argument: str = "model") -> Iterator[str]:
    """A path as it is; what is in memory as a file for as long as it takes."""
    if not isinstance(model, bytes | ModelProto):
        yield path_of(model, argument)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _NAME
        path.write_bytes(content_of(model))
        try:
            yield str(path)
        except Error as error:  # nobody knows that folder
            if str(path) not in str(error):
                raise
            raise type(error)(str(error).replace(str(path), _NAME)) from None
