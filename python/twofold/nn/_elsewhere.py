"""Modules of the original that are not built: they raise where a model would make one."""

from ..quantization._not_built import refused

_BEFORE_OR_BEHIND = "do it before QuantStub or behind DeQuantStub, in functions of your own"
_IN_FUNCTIONS = "write it in torch functions, whose calls are quantized one by one"

MultiScaleDeformableAttention = refused(
    "MultiScaleDeformableAttention", f"{_IN_FUNCTIONS}: grid_sample, mul and sum"
)
AnchorGenerator = refused("AnchorGenerator", _BEFORE_OR_BEHIND)
DetectionPostProcess = refused("DetectionPostProcess", _BEFORE_OR_BEHIND)
RcnnPostProcess = refused("RcnnPostProcess", _BEFORE_OR_BEHIND)
MultiScaleRoIAlign = refused("MultiScaleRoIAlign", _BEFORE_OR_BEHIND)
BevPoolV2 = refused("BevPoolV2", _BEFORE_OR_BEHIND)
BgrToYuv444 = refused("BgrToYuv444", _BEFORE_OR_BEHIND)
PointPillarsScatter = refused("PointPillarsScatter", _BEFORE_OR_BEHIND)
Correlation = refused("Correlation", f"{_IN_FUNCTIONS}: pad, mul and mean")
