"""docs/tutorial.md is what its commands print."""

import re
import sys

import pytest
from command_line import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import tutorial


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """The tutorial as it is, and as its commands make it now."""
    before = tutorial.TUTORIAL.read_text()
    folder = tmp_path_factory.mktemp("tutorial")
    return before, tutorial.run_tutorial(before, folder), folder


def without_numbers(text):
    """Sums in float32 end in other digits on other CPUs, and columns are as wide as numbers."""
    text = re.sub(r"-?\d+(\.\d+)?", "#", text)
    return re.sub(r"-{3,}", "---", re.sub(r"[ \t]+", " ", text)).splitlines()


def test_the_commands_print_what_stands_there(texts):
    before, after, _ = texts
    assert without_numbers(after) == without_numbers(before)


@pytest.mark.parametrize("pattern", [r"accuracy in percent: ([\d.]+)", r"evaluated .*: ([\d.]+)"])
def test_the_accuracies_are_those(texts, pattern):
    before, after, _ = texts
    expected = [float(number) for number in re.findall(pattern, before)]
    assert len(expected) >= 2
    assert [float(n) for n in re.findall(pattern, after)] == pytest.approx(expected, abs=0.3)


def test_the_pictures_are_there(texts):
    before, _, folder = texts
    for picture in re.findall(r"\]\((tutorial/[^)]+)\)", before):
        assert (tutorial.TUTORIAL.parent / picture).is_file()
    for source in tutorial.SVGS.values():
        assert (folder / source).is_file()
