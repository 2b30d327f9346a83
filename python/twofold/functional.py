"""Camera formats: not here, they raise."""

from .quantization._not_built import refused

__all__ = ["bgr2centered_yuv", "centered_yuv2rgb", "rgb2centered_yuv"]

_INSTEAD = (
    "a device's camera gives this format, and the engine takes what the model was trained on: "
    "convert images before the model"
)

rgb2centered_yuv = refused("rgb2centered_yuv", _INSTEAD)
bgr2centered_yuv = refused("bgr2centered_yuv", _INSTEAD)
centered_yuv2rgb = refused("centered_yuv2rgb", _INSTEAD)
