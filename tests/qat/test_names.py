"""docs/qat_names.md: every name on it is there, and raises what it says."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import torch
import twofold

PAGE = Path(__file__).parents[2] / "docs" / "qat_names.md"
_QUOTED = re.compile(r"`([^`]+)`")


def rows():
    """(modules, names, what stands there) of the tables that begin with `from`."""
    table = None
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            table = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if table is None:
            table = [cell.strip() for cell in line.strip("|").split("|")]
        elif table[0] == "from" and not line.startswith("|---"):
            modules, names, here = cells
            yield _QUOTED.findall(modules), _QUOTED.findall(names), here.rstrip("| ")


def found(path):
    """What is imported from a path, as `from module import name` finds it."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(found(module), name)


NAMES = [(m, name, here) for modules, names, here in rows() for m in modules for name in names]
RAISING = [row for row in NAMES if row[2].startswith("**raises**:")]


def test_the_page_has_what_it_is_for():
    assert len(NAMES) > 250 and len(RAISING) > 50
    assert {here.split(":")[0].split()[0] for _, _, here in NAMES} == {
        *("works", "works,", "works.", "works;", "ours", "**raises**")
    }


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, name, _ in NAMES])
def test_every_name_is_there(module, name):
    assert hasattr(found(module), name)


@pytest.mark.parametrize(("module", "name", "here"), RAISING)
def test_what_raises_says_this(module, name, here):
    sentence = here.removeprefix("**raises**: ")
    with pytest.raises(twofold.Error) as caught:
        getattr(found(module), name)(torch.nn.Linear(1, 1), march="nash-e")
    assert sentence in str(caught.value) or sentence.replace("`", "") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("twofold.quantization.FuseMode", "BNAddReLU"),
        ("twofold.quantization.FuseMode", "NoFuse"),
        ("twofold.qat_mode.tricks", "anything"),
    ],
)
def test_what_raises_at_its_attributes_says_this(name, attribute):
    module, _, last = name.rpartition(".")
    (here,) = {here for m, n, here in NAMES if (m, n) == (module, last)}
    sentence = here.partition("attributes: ")[2] or here.partition("members: ")[2]
    with pytest.raises(AttributeError, match=re.escape(sentence)):
        getattr(getattr(found(module), last), attribute)


def test_a_row_that_raises_differs_from_one_that_works():
    """Those that work give no Error of this kind when they are looked at."""
    for module, name, here in NAMES:
        if not here.startswith("**raises**"):
            assert "Not built" not in str(getattr(found(module), name).__doc__)


def test_what_the_package_refuses_is_on_the_page():
    listed = {name for _, name, _ in RAISING}
    for module in {module for module, _, _ in NAMES}:
        for name in getattr(found(module), "__all__", ()):
            doc = str(getattr(getattr(found(module), name), "__doc__", None))
            if doc.startswith(("Not built", "Not here: raises twofold.Error")):
                assert name in listed, f"{module}.{name}"
