"""The names of the vendor's compiler: one works, the others say what to do without it."""

import os

from ..quantization._not_built import refused
from ..quantization.export import ExportedModel

__all__ = [
    "Hbm",
    "compile",
    "convert",
    "hbm_perf",
    "leap",
    "load",
    "save",
    "statistics",
    "visualize",
]

_NO_COMPILER = (
    "the ONNX file that export writes holds the integers already: save it, and run it with "
    "twofold.Session or ONNX Runtime"
)


def save(model: ExportedModel, path: str | os.PathLike[str]) -> None:
    """Write what `quantization.hbdk4.export` returned: an ONNX file, whatever the path ends in."""
    model.save(path)


load = refused("hbdk4.compiler.load", "twofold.Session(path) loads the file that save wrote")
convert = refused("hbdk4.compiler.convert", _NO_COMPILER)
compile = refused("hbdk4.compiler.compile", _NO_COMPILER)
statistics = refused("hbdk4.compiler.statistics", "`twofold inspect model.onnx` lists its nodes")
visualize = refused("hbdk4.compiler.visualize", "any viewer of ONNX shows the file that save wrote")
hbm_perf = refused("hbdk4.compiler.hbm_perf", "`twofold bench model.onnx` measures it on this CPU")
Hbm = refused("hbdk4.compiler.Hbm", "twofold.Session(path) runs the file that save wrote")
leap = refused("hbdk4.compiler.leap", _NO_COMPILER)
