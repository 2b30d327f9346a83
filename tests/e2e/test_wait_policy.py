"""Idle threads spin shortly unless told otherwise. GNU's OpenMP runtime tells on stderr."""

import os
import re
import subprocess
import sys

import pytest
from command_line import PROGRAM

IMPORT = "import os; before = dict(os.environ); import twofold; assert dict(os.environ) == before"


def spin_count(command, **environment):
    """How often a thread looks whether it may go on before it sleeps."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    result = subprocess.run(
        command,
        env=kept | {"OMP_DISPLAY_ENV": "verbose"} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    counts = re.findall(r"GOMP_SPINCOUNT = '(\d+|INFINITY)'", result.stderr)
    return float(counts[-1].replace("INFINITY", "inf"))


@pytest.mark.parametrize(
    "command", [[PROGRAM, "targets"], [sys.executable, "-c", IMPORT]], ids=["cli", "python"]
)
def test_idle_threads_spin_shortly_unless_told_otherwise(command):
    assert spin_count(command) == 1000
    assert spin_count(command, OMP_WAIT_POLICY="passive") == 0
    assert spin_count(command, OMP_WAIT_POLICY="active") > 1e6
    assert spin_count(command, GOMP_SPINCOUNT="1234") == 1234
