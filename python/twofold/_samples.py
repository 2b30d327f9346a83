"""Samples of a program, read one at a time, when the engine asks for them.

A source has `size()` and `sample(i)`, which returns {name: array}. The engine calls them from its
threads, one at a time; it asks for 0, 1, 2, ... several times over.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BufferedRandom
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ._arrays import numbers_of
from ._twofold import Error

_END = object()
_Arrays = dict[str, NDArray[Any]]
# Gives the names of the model's inputs, in its order. Asked where samples are no mappings.
Names = Callable[[], Sequence[str]]


class SampleSource(Protocol):
    """What the engine reads samples from."""

    def size(self) -> int:
        """How many there are."""

    def sample(self, index: int, /) -> Mapping[str, NDArray[Any]]:
        """One of them."""


def _by_name(sample: Mapping[Any, Any], index: int) -> _Arrays:
    for name in sample:
        if not isinstance(name, str):
            raise Error(
                f"sample {index} has the key {name!r} of type {type(name).__name__}; keys are the "
                "names of inputs"
            )
    arrays = {name: numbers_of(value) for name, value in sample.items()}
    return {name: array for name, array in arrays.items() if array is not None}


def _by_place(values: Sequence[Any], index: int, names: Names) -> _Arrays:
    """Values in the order of the model's inputs; what is behind these, a label say, is left."""
    known = names()
    if len(values) < len(known):
        raise Error(
            f"sample {index} has {len(values)} value{'s' * (len(values) != 1)}, but the inputs are "
            f"{len(known)}: {', '.join(known)}; give as many arrays, or a mapping of the names to "
            "arrays"
        )
    arrays = {}
    for name, value in zip(known, values, strict=False):
        array = numbers_of(value)
        if array is None:
            raise Error(
                f"sample {index} has a {type(value).__name__} in the place of input '{name}', and "
                "no array of numbers; a sample is an array, a tuple of them in the order of the "
                "model's inputs, or a mapping of names to arrays"
            )
        arrays[name] = array
    return arrays


def _arrays(sample: Any, index: int, names: Names) -> _Arrays:
    if isinstance(sample, Mapping):
        return _by_name(sample, index)
    if not isinstance(sample, list | tuple):
        return _by_place([sample], index, names)
    # (inputs, label), where there are several inputs.
    if sample and isinstance(sample[0], Mapping):
        return _by_name(sample[0], index)
    nested = sample and isinstance(sample[0], list | tuple) and len(names()) > 1
    return _by_place(sample[0] if nested else sample, index, names)


@contextlib.contextmanager
def _naming(index: int) -> Iterator[None]:
    """Adds the sample's number to what the program's own code raises."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, Error):
            error.add_note(f"twofold was reading sample {index} of the data")
        raise


def _next_sample(iterator: Iterator[Any], index: int) -> Any:
    """The next one, which is `index`, or _END."""
    with _naming(index):
        return next(iterator, _END)


class _Indexed:
    """Data with a length and an index."""

    def __init__(self, data: Any, names: Names):
        self._data = data
        self._names = names

    def size(self) -> int:
        return len(self._data)

    def sample(self, index: int) -> _Arrays:
        with _naming(index):
            return _arrays(self._data[index], index, self._names)


class _Columns:
    """A mapping of input names to all samples of the input: a list, or an array's first axis."""

    def __init__(self, data: Mapping[Any, Any], names: Names):
        self._columns: dict[str, Any] = {}
        for name in names():
            column: Any = data.get(name)
            if not hasattr(column, "__len__") or not hasattr(column, "__getitem__"):
                raise Error(
                    f"the data are a {type(data).__name__} without a list or array of samples for "
                    f"input '{name}'; it has: {', '.join(map(str, data)) or 'nothing'}"
                )
            self._columns[name] = column

    def size(self) -> int:
        sizes = {name: len(column) for name, column in self._columns.items()}
        if len(set(sizes.values())) > 1:
            counts = ", ".join(f"{count} for '{name}'" for name, count in sizes.items())
            raise Error(f"the data have different numbers of samples: {counts}")
        return next(iter(sizes.values()), 0)

    def sample(self, index: int) -> _Arrays:
        with _naming(index):
            columns = {name: column[index] for name, column in self._columns.items()}
            return _by_name(columns, index)


class _Iterated:
    """Data of which every iter() begins anew."""

    def __init__(self, data: Any, names: Names):
        self._data = data
        self._names = names
        self._iterator: Iterator[Any] | None = None
        self._next = 0

    def size(self) -> int:
        with contextlib.suppress(TypeError):  # has no length, or does not know it
            return len(self._data)
        iterator, count = iter(self._data), 0
        while _next_sample(iterator, count) is not _END:
            count += 1
        return count

    def sample(self, index: int) -> _Arrays:
        if self._iterator is None or index < self._next:
            self._iterator, self._next = iter(self._data), 0
        while True:
            sample = _next_sample(self._iterator, self._next)
            if sample is _END:
                raise Error(
                    f"sample {index} is not there: the data end after {self._next} samples this "
                    "time; every iteration must give as many as the first, or as len() says"
                )
            self._next += 1
            if self._next > index:
                return _arrays(sample, index, self._names)


@contextlib.contextmanager
def _writing(index: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Error(
            f"cannot keep sample {index} of an iterator in a temporary file in "
            f"'{tempfile.gettempdir()}': {error.strerror}; name a folder with more room in TMPDIR, "
            "or give data that can be read again"
        ) from error


class _Spooled:
    """What a one-shot iterator yields, in a temporary file without a name."""

    def __init__(self, iterator: Iterator[Any], names: Names):
        self._iterator = iterator
        self._names = names
        self._file: BufferedRandom | None = None
        # Per sample and name: element type, shape, place in the file.
        self._places: list[dict[str, tuple[np.dtype[Any], tuple[int, ...], int]]] = []

    def size(self) -> int:
        if self._file is None:
            with _writing(0):
                self._file = tempfile.TemporaryFile()  # noqa: SIM115, closed by close()
            while (sample := _next_sample(self._iterator, len(self._places))) is not _END:
                self._write(self._file, _arrays(sample, len(self._places), self._names))
        return len(self._places)

    def sample(self, index: int) -> _Arrays:
        assert self._file is not None, "size() is called first"
        arrays = {}
        for name, (dtype, shape, place) in self._places[index].items():
            arrays[name] = np.empty(shape, dtype)
            self._file.seek(place)
            self._file.readinto(arrays[name].reshape(-1).view(np.uint8).data)
        return arrays

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, file: BufferedRandom, arrays: _Arrays) -> None:
        places = {}
        with _writing(len(self._places)):
            for name, array in arrays.items():
                places[name] = (array.dtype, array.shape, file.tell())
                file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
            file.flush()
        self._places.append(places)


@contextlib.contextmanager
def open_samples(data: Any, names: Names) -> Iterator[SampleSource | str]:
    """A path as it is, "" for None; other data as a source. At the end no file of it is left."""
    if data is None or isinstance(data, str | os.PathLike):
        yield os.fspath(data or "")
        return
    if isinstance(data, bytes):
        raise Error("the data are bytes; give a path, or samples")
    if isinstance(data, Mapping):
        yield _Columns(data, names)
        return
    if hasattr(data, "get_next"):  # ONNX Runtime's CalibrationDataReader
        with contextlib.closing(_Spooled(iter(data.get_next, None), names)) as spooled:
            yield spooled
        return
    has_index = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    is_list = isinstance(data, Sequence | np.ndarray)
    if is_list or (has_index and not hasattr(data, "__iter__")):
        yield _Indexed(data, names)
        return
    try:
        first = iter(data)
    except TypeError as error:
        raise Error(
            f"the data are a {type(data).__name__}; give a path, or something to iterate over, or "
            "with a length and an index"
        ) from error
    if first is not data and first is not iter(data):
        yield _Iterated(data, names)
        return
    with contextlib.closing(_Spooled(first, names)) as spooled:
        yield spooled
