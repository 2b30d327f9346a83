"""Modules for models that are quantized: FloatFunctional, and the operators that prepare makes.

Those of torch.nn that are here too are torch.nn's own, or do the same in steps.
"""

from .. import _torch_version  # noqa: F401, I001, says first what is wrong with PyTorch
from torch.nn import (
    GroupNorm,
    Identity,
    RMSNorm,
    Softmax,
    TransformerDecoder,
    TransformerDecoderLayer,
)

from .. import quantization as _quantization  # noqa: F401, which imports from here, and so is first
from . import grid_sample, qat, quantized
from ._attention import MultiheadAttention, TransformerEncoder, TransformerEncoderLayer
from ._elsewhere import (
    AnchorGenerator,
    BevPoolV2,
    BgrToYuv444,
    Correlation,
    DetectionPostProcess,
    MultiScaleDeformableAttention,
    MultiScaleRoIAlign,
    PointPillarsScatter,
    RcnnPostProcess,
)
from ._recurrent import GRU, LSTM, GRUCell, LSTMCell
from .functions import Cos, Div, Exp, HardLog, Matmul, Reciprocal, Sin
from .grid_sample import GridSample, warp
from .interpolate import Interpolate
from .norms import LayerNorm, SplitLayerNorm
from .segment_lut import LookUpTable, SegmentLUT

__all__ = [
    "GRU",
    "LSTM",
    "AnchorGenerator",
    "BevPoolV2",
    "BgrToYuv444",
    "Correlation",
    "Cos",
    "DetectionPostProcess",
    "Div",
    "Exp",
    "GRUCell",
    "GridSample",
    "GroupNorm",
    "HardLog",
    "Identity",
    "Interpolate",
    "LSTMCell",
    "LayerNorm",
    "LookUpTable",
    "Matmul",
    "MultiScaleDeformableAttention",
    "MultiScaleRoIAlign",
    "MultiheadAttention",
    "PointPillarsScatter",
    "RMSNorm",
    "RcnnPostProcess",
    "Reciprocal",
    "SegmentLUT",
    "Sin",
    "Softmax",
    "SplitLayerNorm",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "grid_sample",
    "qat",
    "quantized",
    "warp",
]
