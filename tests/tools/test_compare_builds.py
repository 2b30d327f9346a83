"""The script that compares two builds: on one and the same, and on one that was tampered with."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"


def compare(new, *configs):
    """Exit code and the lines between the header and the last one."""
    command = [sys.executable, ROOT / "tools" / "compare_builds.py", BUILD, new]
    command += ["--models", "digits", "--configs", *configs]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()[1:-1]


@pytest.fixture
def tampered(tmp_path):
    """A build whose files the given lines of Python change, given `model`, bytes, and `plan`."""

    def make(*lines):
        script = tmp_path / "tamper.py"
        script.write_text(
            "import json, pathlib\n"
            "files = pathlib.Path('model.onnx'), pathlib.Path('plan.json')\n"
            "model, plan = bytearray(files[0].read_bytes()), json.loads(files[1].read_text())\n"
            + "".join(f"{line}\n" for line in lines)
            + "files[0].write_bytes(model), files[1].write_text(json.dumps(plan))\n"
        )
        program = tmp_path / "twofold"
        run = shlex.join(map(str, (BUILD / "twofold",)))
        change = shlex.join(map(str, (sys.executable, script)))
        program.write_text(f'#!/bin/sh\n{run} "$@" && {change}\n')
        program.chmod(0o755)
        return tmp_path

    return make


def test_a_build_is_the_same_as_itself():
    code, rows = compare(BUILD, "nearest max", "uint8")
    assert code == 0
    assert [row.split()[0] for row in rows] == ["digits", "digits"]
    assert all(row.endswith(" same") for row in rows)


def test_new_fields_of_a_plan_do_not_count(tampered):
    new = tampered("plan['new'] = 1", "plan['operands'][0]['new'] = [2]")
    code, rows = compare(new, "nearest max")
    assert (code, len(rows)) == (0, 1)
    assert rows[0].endswith(" same")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("plan['operands'][3]['granted'] = 'x'", "plan.operands[3].granted: int8 became x"),
        ("del plan['operands'][3]['asked']", "plan.operands[3].asked is missing"),
        ("model[1000] ^= 1", "model: byte 1000; {0} bytes became {0}"),
        ("del model[1000:]", "model: byte 1000; {0} bytes became 1000"),
    ],
)
def test_a_difference_is_found(tampered, tmp_path, change, message):
    size = f"pathlib.Path({str(tmp_path / 'size')!r}).write_text(json.dumps(len(model)))"
    code, rows = compare(tampered(size, change), "nearest max")
    assert code == 1
    expected = message.format(json.loads((tmp_path / "size").read_text()))
    assert rows[0].endswith(f" DIFFERS: {expected}")
