"""Run docs/tutorial.md: every command in it, in order, and put what comes out in its place.

    python tools/tutorial.py            # writes outputs and pictures into docs/
    python tools/tutorial.py --check    # fails where an output is another one than docs/ has

Commands are the lines that begin with "$ " in blocks of ```console; what follows them, up to the
next one or the end of the block, is their output. Blocks of ```yaml that begin with "# NAME.yaml"
are files. All of it happens in an empty folder in which examples/ is that of the checkout.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PICTURES = ROOT / "docs" / "tutorial"
# Picture in docs/tutorial -> file that the commands write.
SVGS = {
    "growing_error.svg": "debug/accumulate_error/growing_error.svg",
    "edges_input.svg": "debug/data_distribution/_edges_Conv-input0.svg",
    "edges_channels.svg": "debug/channelwise_distribution/edges.weight.svg",
}
BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_block(text: str, folder: Path) -> str:
    """The block with the outputs that its commands have now."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        path = f"{ROOT / 'build'}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line[2:]],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"{line}\n{done.stdout}{done.stderr}")
        lines += [line, *done.stdout.splitlines(), ""]
    return "\n".join(lines).rstrip() + "\n"


def run_tutorial(text: str, folder: Path) -> str:
    """The tutorial with the outputs that its commands have now; files are left in `folder`."""

    def replaced(match: re.Match) -> str:
        kind, body = match.groups()
        name = re.match(r"# (\S+\.yaml)\n", body)
        if kind == "yaml":
            if name:
                (folder / name[1]).write_text(body)
            return match[0]
        return f"```console\n{run_block(body, folder)}```"

    (folder / "examples").symlink_to(ROOT / "examples")
    return BLOCK.sub(replaced, text)


def photograph(page: Path, picture: Path) -> None:
    """What a browser shows of a page first."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("there is no chromium to take the picture of the report with")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--window-size=1100,900", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """Writes the tutorial, or says where it is not what it would be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where it differs")
    check = parser.parse_args().check
    before = TUTORIAL.read_text()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        after = run_tutorial(before, folder)
        if check:
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
            if difference := "\n".join(lines):
                sys.exit(f"docs/tutorial.md is not what its commands print now:\n{difference}")
            return
        PICTURES.mkdir(exist_ok=True)
        for picture, source in SVGS.items():
            shutil.copy(folder / source, PICTURES / picture)
        photograph(folder / "debug" / "report.html", PICTURES / "report.png")
        TUTORIAL.write_text(after)


if __name__ == "__main__":
    main()
