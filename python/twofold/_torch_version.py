"""Whether PyTorch is there, and new enough. What uses it imports this first."""

OLDEST = "2.9"  # that the tests have run with

try:
    import torch
except ModuleNotFoundError as missing:
    raise ImportError(
        f"Twofold trains with PyTorch {OLDEST} or newer, and there is no module {missing.name!r}: "
        f"pip install 'torch>={OLDEST}' onnx"
    ) from missing


def _number(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def check(version: str) -> None:
    """Raise ImportError for a version of PyTorch that is too old."""
    if _number(version) < _number(OLDEST):
        raise ImportError(
            f"Twofold trains with PyTorch {OLDEST} or newer, and this is {version}: "
            f"pip install 'torch>={OLDEST}'"
        )


check(torch.__version__)
