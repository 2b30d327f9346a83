"""Files that are there whole or not at all."""

import os
from pathlib import Path


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all. OSError where it cannot be written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
