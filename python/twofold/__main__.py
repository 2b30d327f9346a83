"""The command line: `python -m twofold quantize --help`, and what its installed commands call."""

import os
import sys

from ._twofold import run_debugger, run_twofold


def main() -> int:
    """Runs the command that the process's arguments name; returns the exit code."""
    return run_twofold(_words())


def debugger() -> int:
    """As main(), for `twofold-debugger`, which has the commands of `twofold debug`."""
    return run_debugger(_words())


def _words() -> list[bytes]:
    return [os.fsencode(word) for word in sys.argv[1:]]


if __name__ == "__main__":
    sys.exit(main())
