"""Folders of images as samples, prepared as a PTQ file says. What it leaves open is an error."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ._twofold import Error

_EXTENSIONS = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp"}
_ARRAYS = {".npy", ".npz"}
_CHANNELS = {"gray": 1, "rgb": 3, "bgr": 3}


class InputRow(TypedDict):
    """An input as the extension describes it."""

    name: str
    shape: list[int] | None
    colours: str
    layout: str


def _files(folder: str | os.PathLike[str]) -> list[Path]:
    """The images of a folder, in the order of their names; none where it holds arrays too."""
    if not os.path.isdir(folder):
        return []
    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    if any(path.suffix.lower() in _ARRAYS for path in files):
        return []
    return [path for path in files if path.suffix.lower() in _EXTENSIONS]


def holds_images(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder, or one in it, has images and no arrays."""
    if not os.path.isdir(folder):
        return False
    return bool(_files(folder)) or any(_files(inner) for inner in Path(folder).iterdir())


class _Form:
    """What an image must become for one input: colours, size, and where its channels are."""

    def __init__(self, row: InputRow, resizes: bool):
        self.name = row["name"]
        self._resizes = resizes
        shape = row["shape"] or []
        if len(shape) != 4:
            raise self._error(f"its shape is {row['shape']}, and an image becomes four dimensions")
        colours = row["colours"].lower()
        if colours not in {*_CHANNELS, ""}:
            raise self._error(
                f"its input_type_train is {colours}, and images are read as rgb, bgr or gray; save "
                "what the model takes as .npy arrays"
            )
        self._channels_last = self._is_channels_last(shape, row["layout"].upper())
        channels = shape[3 if self._channels_last else 1]
        if not colours and channels != 1:
            raise self._error(
                "are its colours rgb or bgr? Say it in input_parameters.input_type_train"
            )
        self._colours = colours or "gray"
        if channels not in (-1, _CHANNELS[self._colours]):
            raise self._error(f"{self._colours} does not fit its {channels} channels")
        self._height, self._width = shape[1:3] if self._channels_last else shape[2:4]

    def _error(self, what: str) -> Error:
        return Error(f"images for input '{self.name}': {what}")

    def _is_channels_last(self, shape: Sequence[int], layout: str) -> bool:
        if layout in ("NCHW", "NHWC"):
            return layout == "NHWC"
        if layout:
            raise self._error(f"its input_layout_train is {layout}; it must be NCHW or NHWC")
        first, last = shape[1] in (1, 3), shape[3] in (1, 3)
        if first == last:
            raise self._error(
                f"which dimension of {list(shape)} is the channels? Say it in "
                "input_parameters.input_layout_train: NCHW or NHWC"
            )
        return last

    def read(self, path: Path) -> NDArray[np.uint8]:
        """[1,C,H,W] or [1,H,W,C], bytes."""
        from PIL import Image

        try:
            with Image.open(path) as file:
                image = file.convert("L" if self._colours == "gray" else "RGB")
        except OSError as error:
            raise self._error(f"'{path}' cannot be read: {error}") from error
        width = image.width if self._width < 0 else self._width
        height = image.height if self._height < 0 else self._height
        if (width, height) != image.size:
            if not self._resizes:
                raise self._error(
                    f"'{path}' is {image.width} x {image.height}, and the input is {width} x "
                    f"{height}; how it is to be resized or cropped is not said. Do it, or set "
                    "calibration_parameters.preprocess_on, which stretches images to the input"
                )
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        pixels = np.asarray(image)
        if self._colours == "gray":
            pixels = pixels[:, :, None]
        elif self._colours == "bgr":
            pixels = pixels[:, :, ::-1]
        return (pixels if self._channels_last else pixels.transpose(2, 0, 1))[None]


class ImageSamples:
    """Images of folders, one for each input."""

    def __init__(self, folders: Sequence[str | os.PathLike[str]], rows: Any, resizes: bool):
        if importlib.util.find_spec("PIL") is None:
            raise Error(
                f"'{os.fspath(folders[0])}' holds images, which Pillow reads: pip install "
                "twofold[images], or save them as .npy arrays"
            )
        if len(folders) == 1 and (len(rows) > 1 or not _files(folders[0])):
            folders = [os.path.join(folders[0], row["name"]) for row in rows]
        self._forms = [_Form(row, resizes) for row in rows]
        self._files = [_files(folder) for folder in folders]
        for form, files, folder in zip(self._forms, self._files, folders, strict=True):
            if len(files) != len(self._files[0]) or not files:
                raise Error(
                    f"input '{form.name}' has {len(files)} images in '{os.fspath(folder)}', but "
                    f"input '{self._forms[0].name}' has {len(self._files[0])}"
                )

    def size(self) -> int:
        """How many there are of each."""
        return len(self._files[0])

    def sample(self, index: int) -> dict[str, NDArray[Any]]:
        """One of each."""
        files = (of_input[index] for of_input in self._files)
        return {form.name: form.read(file) for form, file in zip(self._forms, files, strict=True)}
