"""Names of the original profiler that raise, and say what to use."""

from ..quantization._not_built import refused

__all__ = [
    "ConsistencyAnalyzer",
    "HbirModelProfiler",
    "HbmServerSession",
    "InferenceEngine",
    "QatBcEditor",
    "check_deploy_device",
    "show_cuda_memory_consumption",
]

_EXPORTED = (
    "quantization.export writes ONNX, which twofold.Session runs and twofold.debug looks into"
)

HbirModelProfiler = refused(
    "HbirModelProfiler", f"it runs the vendor's file; ModelProfiler takes a model, and {_EXPORTED}"
)
ConsistencyAnalyzer = refused(
    "ConsistencyAnalyzer", f"it compares the vendor's files; {_EXPORTED}, with VALIDATION's numbers"
)
HbmServerSession = refused("HbmServerSession", f"it talks to the vendor's board; {_EXPORTED}")
InferenceEngine = refused("InferenceEngine", f"it runs the vendor's file; {_EXPORTED}")
QatBcEditor = refused(
    "QatBcEditor",
    "it edits the vendor's file; give layers other precisions with ModuleNameTemplate and prepare",
)
check_deploy_device = refused(
    "check_deploy_device",
    "there is one device; model_check_result.txt, which prepare writes, lists what stays in float",
)
show_cuda_memory_consumption = refused(
    "show_cuda_memory_consumption", "use torch.cuda.memory_summary or torch.profiler"
)
