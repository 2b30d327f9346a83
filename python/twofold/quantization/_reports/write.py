"""Writes the files, each whole or not at all."""

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from .._canonicalize.precisions import Change
from .._files import write_file
from .._record.graph import Recording
from .changelog import changelog_text
from .dtypes import as_python, qconfig_dtypes
from .fx_graph import fx_graph_text
from .model_check import model_check_text


def write_reports(
    model: nn.Module,
    recording: Recording,
    *,
    members: Mapping[str, str],
    changes: Iterable[Change],
    messages: Iterable[str],
    check_result_dir: str | os.PathLike[str] = ".",
    save_dir: str | os.PathLike[str] | None = None,
) -> None:
    """Write all reports about a prepared model, whose operators have their fake quantizers.

    model_check_result.txt and fx_graph.txt go to `check_result_dir`; qconfig_changelogs.txt,
    qconfig_dtypes.pt and qconfig_dtypes.pt.py to `save_dir`, by default the same. Folders are made.
    OSError where a file cannot be written.
    """
    there = Path(check_result_dir)
    write_whole(there / "model_check_result.txt", model_check_text(model, recording, members))
    write_whole(there / "fx_graph.txt", fx_graph_text(recording))
    folder = there if save_dir is None else Path(save_dir)
    dtypes = qconfig_dtypes(model, recording)
    buffer = io.BytesIO()
    torch.save(dtypes, buffer)
    write_whole(folder / "qconfig_changelogs.txt", changelog_text(changes, messages))
    write_whole(folder / "qconfig_dtypes.pt", buffer.getvalue())
    write_whole(folder / "qconfig_dtypes.pt.py", as_python(dtypes))


def write_whole(path: Path, content: str | bytes) -> None:
    """The same as `write_file`, but that the file's folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)
