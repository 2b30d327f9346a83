"""Files that are there whole or not at all."""

from pathlib import Path

from .. import _twofold


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all; links are followed, pipes and devices written as they are.

    OSError where it cannot be written.
    """
    data = content if isinstance(content, bytes) else content.encode()
    try:
        _twofold.write_file(path, data)
    except _twofold.Error as error:
        raise OSError(str(error)) from None
