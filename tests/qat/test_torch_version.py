"""What an old PyTorch, or none, is answered with."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from twofold._torch_version import OLDEST, check

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "Twofold trains with PyTorch 2.9 or newer, and this is {}: pip install 'torch>=2.9'"


@pytest.mark.parametrize("version", ["1.13.1", "2.0.0", "2.6.0+cu124", "2.8.1"])
def test_old_ones_are_named(version):
    with pytest.raises(ImportError, match=f"^{re.escape(SENTENCE.format(version))}$"):
        check(version)


@pytest.mark.parametrize("version", ["2.9.0", "2.10.0a0+git1234", "2.14.1+cu130", "3.0.0"])
def test_newer_ones_are_taken(version):
    check(version)


MODULES = [
    *("quantization", "nn", "profiler", "fx", "qtensor", "jit"),
    *("utils.onnx_helper", "utils.check_model"),
]


def last_words(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("module", MODULES)
def test_it_is_the_first_thing_that_is_said(module):
    script = f"import torch; torch.__version__ = '2.3.0'; import twofold.{module}"
    assert last_words(script) == f"ImportError: {SENTENCE.format('2.3.0')}"


@pytest.mark.parametrize("module", MODULES)
def test_where_there_is_none_it_is_asked_for(module):
    script = f"import sys; sys.modules['torch'] = None; import twofold.{module}"
    assert last_words(script) == (
        "ImportError: Twofold trains with PyTorch 2.9 or newer, and there is no module 'torch': "
        "pip install 'torch>=2.9' onnx"
    )


def test_the_extra_and_the_page_say_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"torch>={OLDEST}" in project["optional-dependencies"]["qat"]
    assert f"PyTorch {OLDEST}" in (ROOT / "docs" / "qat.md").read_text()
