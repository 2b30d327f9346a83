"""Why a quantized PyTorch model is not what the float one is: samples, layers, weights, scales."""

from .. import _torch_version  # noqa: F401, says first what is wrong with PyTorch
from ._analysis import QuantAnalysis
from ._counts import check_unfused_operations, get_module_called_count
from ._everything import model_profiler
from ._features import get_raw_features, profile_featuremap
from ._model_profiler import ModelProfiler
from ._qconfigs import check_qconfig, set_preserve_qat_mode
from ._refused import (
    ConsistencyAnalyzer,
    HbirModelProfiler,
    HbmServerSession,
    InferenceEngine,
    QatBcEditor,
    check_deploy_device,
    show_cuda_memory_consumption,
)
from ._similarity import featuremap_similarity
from ._weights import compare_weights

__all__ = [
    "ConsistencyAnalyzer",
    "HbirModelProfiler",
    "HbmServerSession",
    "InferenceEngine",
    "ModelProfiler",
    "QatBcEditor",
    "QuantAnalysis",
    "check_deploy_device",
    "check_qconfig",
    "check_unfused_operations",
    "compare_weights",
    "featuremap_similarity",
    "get_module_called_count",
    "get_raw_features",
    "model_profiler",
    "profile_featuremap",
    "set_preserve_qat_mode",
    "show_cuda_memory_consumption",
]
