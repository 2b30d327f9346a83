"""What a type checker makes of programs that use the package: of the installed one, as users do.

The package itself is checked by lint.
"""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import twofold

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the blocks of a page take for granted.
GIVEN = {
    "README.md": "import torch\nfrom torch import nn\nmodel: nn.Module\nx: torch.Tensor\n",
    "docs/config.md": "import twofold\n",
    "docs/embedding.md": "import numpy as np\nimport twofold\nimage = np.zeros((1, 1, 28, 28))\n",
    "docs/qat.md": "",
    "docs/tutorial.md": "",
}
EXAMPLES = sorted((ROOT / "examples").glob("*/*.py"))
SETTINGS = """
[mypy]
strict = True
[mypy-onnxruntime.*]
ignore_missing_imports = True
"""
# Most functions of pages and examples have no types; what they do with the package is checked. To a
# type checker any attribute of a module is a tensor or a module (operator, union-attr).
UNTYPED = """
[mypy-{module}]
check_untyped_defs = True
disallow_untyped_defs = False
disallow_incomplete_defs = False
disallow_untyped_calls = False
disallow_any_generics = False
disable_error_code = operator, union-attr
warn_return_any = False
"""


def test_the_stub_is_what_the_extension_has(tmp_path):
    made = tmp_path / "made.pyi"
    subprocess.run([ROOT / "tools" / "stub.sh", made], check=True)
    committed = ROOT / "python" / "twofold" / "_twofold.pyi"
    assert made.read_text() == committed.read_text(), "call tools/stub.sh"


def test_what_is_installed_has_types(tmp_path):
    """A wheel without the extension: what pyproject.toml puts into one of the package's folder."""
    build = "from scikit_build_core.build import build_wheel as b; print(b('{}', {}))"
    settings = {"wheel.cmake": "false", "build-dir": str(tmp_path / "build")}
    command = [sys.executable, "-c", build.format(tmp_path, settings)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"twofold-{twofold.__version__}-")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"twofold/py.typed", "twofold/_twofold.pyi", "twofold/__main__.py"} <= set(names)
    assert not [name for name in names if name.endswith(".so") or "tests" in name]
    entries = f"twofold-{twofold.__version__}.dist-info/entry_points.txt"
    assert "twofold = twofold.__main__:main" in zipfile.ZipFile(wheel).read(entries).decode()


def program_of(page):
    return "page_" + page.replace("/", "_").removesuffix(".md").lower()


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """{module: [(line, code, what mypy says)]} of all programs, in one run: PyTorch takes long.

    What it takes longest for is kept in the cache that lint uses, too.
    """
    folder = tmp_path_factory.mktemp("programs")
    for page, given in GIVEN.items():
        blocks = BLOCK.findall((ROOT / page).read_text())
        (folder / f"{program_of(page)}.py").write_text(given + "\n".join(blocks))
    for path in [HERE / "user_program.py", HERE / "wrong_arguments.py", *EXAMPLES]:
        assert not (folder / path.name).exists()
        (folder / path.name).write_text(path.read_text())
    untyped = [program_of(page) for page in GIVEN] + [path.stem for path in EXAMPLES]
    sections = [UNTYPED.format(module=module) for module in untyped]
    (folder / "mypy.ini").write_text(SETTINGS + "".join(sections))
    command = [sys.executable, "-m", "mypy", "--cache-dir", ROOT / ".mypy_cache", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    found = {path.stem: [] for path in folder.glob("*.py")}
    pattern = r"^(\w+)\.py:(\d+): error: (.*)  \[([a-z-]+)\]$"
    for module, line, text, code in re.findall(pattern, done.stdout, re.MULTILINE):
        found[module].append((int(line), code, text))
    assert done.stdout.count(": error: ") == sum(map(len, found.values())), done.stdout
    return found


def test_a_typed_program_has_no_findings(findings):
    assert findings["user_program"] == []


def test_wrong_arguments_are_found_where_they_are(findings):
    lines = (HERE / "wrong_arguments.py").read_text().splitlines()
    expected = {
        (number, match[1])
        for number, line in enumerate(lines, 1)
        if (match := re.search(r"# error: ([a-z-]+)$", line))
    }
    assert len(expected) >= 25
    assert {(line, code) for line, code, _ in findings["wrong_arguments"]} == expected


def test_the_pages_with_python_are_all_known():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found = [page for page in pages if BLOCK.search(page.read_text())]
    assert {str(page.relative_to(ROOT)) for page in found} == set(GIVEN)


@pytest.mark.parametrize("page", GIVEN)
def test_a_page_has_no_findings(findings, page):
    assert findings[program_of(page)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_example_has_no_findings(findings, path):
    assert findings[path.stem] == []
