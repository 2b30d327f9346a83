"""The data of a job with its config: what the extension is given of both."""

import contextlib
import functools
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypedDict

from . import _twofold
from ._arguments import config_text, optional_path
from ._images import ImageSamples, holds_images
from ._samples import SampleSource, open_samples

Config = str | os.PathLike[str] | Mapping[str, Any] | None
# What samples are to the mean and scale of a config; "": as its march has it.
DataIs = Literal["", "normalized", "raw"]


class ConfigArguments(TypedDict):
    """A config as the functions of the extension take it: a file, or text."""

    config_path: str
    config_text: str


class DataArguments(ConfigArguments):
    """The same for functions that read data."""

    data_is: str


def config_arguments(config: Config) -> ConfigArguments:
    """A config as arguments of the extension."""
    if isinstance(config, Mapping):
        return {"config_path": "", "config_text": config_text(config)}
    return {"config_path": optional_path(config, "config"), "config_text": ""}


@contextlib.contextmanager
def job_data(
    model: str, data: Any, config: Config, data_is: str
) -> Iterator[tuple[SampleSource | str, DataArguments]]:
    """Samples, or their path, and the other arguments. What is opened is closed at the end.

    `model` is its path, "" where the config has it.
    """
    arguments = config_arguments(config)
    if data_is not in ("", "normalized", "raw"):
        raise _twofold.Error(f"data_is is '{data_is}'; it must be normalized or raw")

    @functools.cache
    def about() -> dict[str, Any]:
        return json.loads(_twofold.model_inputs_to_json(model, **arguments))

    folders: list[str] = []
    if isinstance(data, str | os.PathLike):
        folders = [os.fspath(data)]
    elif data is None and config:
        folders = _twofold.calibration_folders(**arguments)
    if any(map(holds_images, folders)):
        in_order = about()["cal_data_dirs"] if data is None else folders
        images = ImageSamples(in_order, about()["inputs"], about()["resizes_images"])
        yield images, {**arguments, "data_is": data_is or "images"}
        return
    with open_samples(data, lambda: [row["name"] for row in about()["inputs"]]) as samples:
        yield samples, {**arguments, "data_is": data_is}
