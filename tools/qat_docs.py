"""Run docs/qat.md: every block of Python in it, in order, and put what comes out in its place.

    python tools/qat_docs.py            # writes outputs into docs/qat.md
    python tools/qat_docs.py --check    # fails where an output is another one than the page has

The blocks are one program, which runs in an empty folder in which examples/ is that of the
checkout. A block of ```text behind one of ```python is what the latter prints.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "qat.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
# What no block prints, between the outputs of two.
MARK = "-- end of block --"


def outputs_of(blocks: list[str], folder: Path) -> list[str]:
    """What each block prints; files are left in `folder`."""
    (folder / "examples").symlink_to(ROOT / "examples")
    program = folder / "page.py"
    program.write_text("".join(f"{block}\nprint({MARK!r}, flush=True)\n" for block in blocks))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program.name],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"the blocks of {PAGE.name} fail:\n{done.stdout}{done.stderr}")
    return done.stdout.split(f"{MARK}\n")[: len(blocks)]


def run_page(text: str, folder: Path) -> str:
    """The page with the outputs that its blocks have now."""
    outputs = iter(outputs_of([match[1] for match in BLOCK.finditer(text)], folder))

    def replaced(match: re.Match) -> str:
        output = next(outputs)
        shown = f"\n\n```text\n{output}```" if output else ""
        return f"```python\n{match[1]}```{shown}"

    return BLOCK.sub(replaced, text)


def main() -> None:
    """Writes the page, or says where it is not what it would be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where it differs")
    check = parser.parse_args().check
    before = PAGE.read_text()
    with tempfile.TemporaryDirectory() as scratch:
        after = run_page(before, Path(scratch))
    if not check:
        PAGE.write_text(after)
        return
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    if difference := "\n".join(lines):
        sys.exit(f"docs/qat.md is not what its blocks print now:\n{difference}")


if __name__ == "__main__":
    main()
