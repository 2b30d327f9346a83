"""Checks that operators are named through traits/op_names.h.

A literal with an operator's name is a second place to change when one is added, and a misspelled
one matches nothing.

Example: python3 tools/check_op_names.py
"""

import re
import sys
from pathlib import Path

# Where literals may stand: the names themselves, implementations, and the upgrades, which know
# older and foreign forms by their names.
ALLOWED = ("src/traits/", "src/ops/", "src/onnx/upgrade")

NAME = re.compile(r'k\w+\[\] = "(\w+)"')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# A name that the table lacks. Operators of another domain say it as a second argument.
COMPARED = re.compile(r'\bis\("([A-Z]\w*)"\)')


def code_of(line: str) -> str:
    """The line without its comment; nothing of an include."""
    if line.startswith("#include"):
        return ""
    quoted = False
    for at, char in enumerate(line):
        if char == '"' and line[at - 1 : at] != "\\":
            quoted = not quoted
        if not quoted and line.startswith("//", at):
            return line[:at]
    return line


def violations(root: Path) -> list[str]:
    """One line per literal that should be a constant."""
    names = set(NAME.findall((root / "src/traits/op_names.h").read_text()))
    found = []
    for path in sorted([*root.glob("src/**/*.h"), *root.glob("src/**/*.cc")]):
        place = path.relative_to(root).as_posix()
        if place.startswith(ALLOWED):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = code_of(line)
            literals = [name for name in LITERAL.findall(code) if name in names]
            for name in dict.fromkeys([*literals, *COMPARED.findall(code)]):
                found.append(
                    f'{place}:{number}: "{name}" is a literal; traits/op_names.h has constants'
                )
    return found


def main() -> int:
    """Prints the violations; 1 if there are any."""
    found = violations(Path(__file__).resolve().parent.parent)
    print("\n".join(found) if found else "operator names: all through traits/op_names.h")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
