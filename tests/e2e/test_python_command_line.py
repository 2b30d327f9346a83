"""`python -m twofold`: the command line, in the process of Python. The package's version."""

import re
import subprocess
import sys

import pytest
import twofold
from command_line import ROOT, run

DIGITS = ROOT / "examples" / "digits"


def run_module(*words, **options):
    command = [sys.executable, "-m", "twofold", *words]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["targets"],
        ["inspect", "examples/digits/digits.onnx"],
        ["inspect", "not there.onnx"],
        ["inspekt"],
        [],
    ],
)
def test_it_is_the_same_command_line(words):
    ours = run_module(*words, cwd=ROOT)
    theirs = run(*words, cwd=ROOT)
    assert ours.returncode == theirs.returncode
    assert ours.stderr.decode() == theirs.stderr
    assert without_times(ours.stdout.decode()) == without_times(theirs.stdout)


def without_times(text):
    return re.sub(r"\d+\.\d+ ms", "# ms", text)


def test_paths_may_have_any_bytes(tmp_path):
    output = bytes(tmp_path) + b"/\xff.onnx"
    command = ["split", DIGITS / "digits.onnx", "--nodes", "[/edges/Conv]", "-o", output]
    done = run_module(*command)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["\udcff.onnx"]


def test_the_version_is_that_of_the_build():
    project = (ROOT / "CMakeLists.txt").read_text()
    assert twofold.__version__ == re.search(r"project\(twofold VERSION (\S+)", project)[1]
