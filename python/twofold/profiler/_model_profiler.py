"""ModelProfiler: what a model computes, layer by layer."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..nn._operator import OUTPUT, WEIGHT
from ..quantization._layers import weight_position
from ..quantization._prepare.fuse import members_of
from ..quantization._record.graph import Layer, Recording
from ..quantization._reports.write import write_whole
from ._infos import DATA, Grid, Info, InfoManager, as_torch
from ._outputs import as_file_name
from ._statistics import moments
from ._streaming import call_name, results_of, streamed, type_name

__all__ = ["ModelProfiler"]


class ModelProfiler:
    """Writes down what a model computes while it is called inside of `with`.

        with ModelProfiler(net, "profile") as profiler:
            net(x)
        print(profiler.get_info_manager().table())

    `out_dir` gets statistic.txt and statistic.csv, a row per weight and per output of a layer, and
    op_infos/, the outputs themselves as .pt files. Layers are the modules and functional calls that
    Twofold knows, named as in a prepared model; a call after the first has its number behind the
    name. Of a model with QuantStubs they are those between the stubs.
    """

    def __init__(self, model: nn.Module, out_dir: str | os.PathLike[str]):
        """`model` is a float model or a prepared one, in any state."""
        self._model = model
        self._infos = InfoManager(Path(out_dir))

    def get_info_manager(self) -> InfoManager:
        """The rows, complete once `with` has been left; its `table()` is statistic.txt."""
        return self._infos

    def __enter__(self) -> "ModelProfiler":
        folder = self._infos.folder
        shutil.rmtree(folder / DATA, ignore_errors=True)
        self._infos = InfoManager(folder, handed_on=members_of(self._model))
        self._kept: dict[tuple[str, int], list[Info]] = {}
        self._stack = ExitStack()
        self._recording = self._stack.enter_context(streamed(self._model, self._take))
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._stack.close()
        if kind is not None:
            return
        self._note_readers(self._recording)
        self._infos.save()

    def _take(self, layer: Layer, inputs: list[torch.Tensor], result: Any) -> None:
        weight = weight_position(layer)
        if weight is not None and layer.call == 0:
            grid = Grid.of(getattr(layer.module, WEIGHT, None))
            self._add(layer, "weight", inputs[weight].detach(), grid)
        for position, tensor in enumerate(results_of(result)):
            grid = Grid.of(getattr(layer.module, OUTPUT, None) if position == 0 else None)
            info = self._add(layer, f"output-{position}" if position else "output", tensor, grid)
            info.file = f"{info.index:05d}_{as_file_name(call_name(layer))}_{info.attr}.pt"
            write_whole(self._infos.folder / DATA / info.file, as_torch(tensor.cpu().clone()))
            self._kept.setdefault((layer.name, layer.call), []).append(info)

    def _add(self, layer: Layer, attr: str, tensor: torch.Tensor, grid: Grid) -> Info:
        info = Info(
            len(self._infos.infos),
            layer.name,
            layer.call,
            layer.op.name,
            type_name(layer),
            attr,
            grid,
            [*tensor.shape],
            *moments(tensor),
        )
        self._infos.infos.append(info)
        return info

    def _note_readers(self, recording: Recording) -> None:
        for layer in recording.layers:
            infos = self._kept.get((layer.name, layer.call), ())
            for info, value in zip(infos, layer.outputs, strict=False):
                if len(value.readers) == 1:
                    reader = value.readers[0][0]
                    info.reader = reader.name, reader.call
