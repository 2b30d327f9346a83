"""Calls build/twofold and judges how it ended."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "build" / "twofold"


def run(*arguments, timeout=60, **options):
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM} is missing: run `make build` first")
    return subprocess.run(
        [PROGRAM, *map(os.fspath, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )


def succeed(*arguments, **options):
    """What a command that must succeed prints; nothing may be on stderr."""
    result = run(*arguments, **options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def fail(*arguments, code=1, **options):
    """The one line that a command that must fail prints, without 'error: '.

    `code` is 2 where the words make no command.
    """
    result = run(*arguments, **options)
    assert result.returncode == code, f"exit code {result.returncode}: {result.stderr}"
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    return lines[0].removeprefix("error: ")


def read_to_end(leader):
    """What is left in a terminal that nobody has open any more; one read may give a part of it."""
    pieces = []
    while True:
        try:
            pieces.append(os.read(leader, 4096))
        except OSError:  # how Linux says that the other side is closed
            break
        if not pieces[-1]:
            break
    return b"".join(pieces)
