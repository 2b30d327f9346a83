"""The command line: `python -m twofold quantize --help`."""

import os
import sys

from ._twofold import run_command_line


def main() -> int:
    """Runs the command that the process's arguments name; returns the exit code."""
    return run_command_line([os.fsencode(word) for word in sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
