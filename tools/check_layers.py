"""Checks who includes whom: a folder of src may include only itself and the folders below it.

python/bindings stands above include/twofold, as c_api and cli do, and above cli, which it runs.

Example: python3 tools/check_layers.py
"""

import re
import sys
from pathlib import Path

BINDINGS = "python/bindings"
BELOW_OPS = {"base", "numeric", "graph", "traits", "infer"}
BELOW_ENGINE = {*BELOW_OPS, "loops", "ops", "dialect", "passes"}
BELOW_QUANTIZE = {*BELOW_ENGINE, "data", "onnx", "engine", "calibrate", "plan"}

# Folder -> folders of src it may include; include/twofold besides, of which each implements a part
# or is built on it.
ALLOWED = {
    "base": set(),
    "numeric": {"base"},
    "kernels": {"base", "numeric"},
    "graph": {"base", "numeric"},
    "traits": {"base", "numeric", "graph"},
    "infer": {"base", "numeric", "graph", "traits"},
    "data": {"base", "numeric", "graph"},
    "onnx": BELOW_OPS,
    "loops": {"base", "numeric", "kernels"},
    "ops": {"base", "numeric", "kernels", "graph", "traits", "loops"},
    "dialect": {"base", "numeric", "kernels", "graph", "traits", "loops", "ops"},
    "passes": {"base", "numeric", "graph", "traits", "infer", "loops", "ops", "dialect"},
    "engine": BELOW_ENGINE,
    "calibrate": {"base", "numeric", "graph", "traits", "infer", "passes", "data", "engine"},
    "plan": {"base", "numeric", "graph", "traits", "infer"},
    "quantize": BELOW_QUANTIZE,
    "gradients": BELOW_ENGINE,
    "debug": {*BELOW_QUANTIZE, "quantize", "gradients"},
    "report": {"base"},
    "api": {*BELOW_QUANTIZE, "quantize", "gradients", "debug", "report"},
    "c_api": {"base"},
    "cli": {"base"},
    BINDINGS: {"base", "cli"},
}

# Folders of libraries that are included with quotes.
LIBRARIES = {"twofold", "hwy"}

INCLUDE = re.compile(r'^#include "([a-z_]+)/')


def sources(root: Path) -> list[tuple[str, Path]]:
    """Every source file with its folder, as the table calls it."""
    found = [(path.relative_to(root / "src").parts[0], path) for path in root.glob("src/*/**/*")]
    found += [(BINDINGS, path) for path in root.glob(f"{BINDINGS}/*")]
    return sorted(entry for entry in found if entry[1].suffix in (".h", ".cc"))


def violations(root: Path) -> list[str]:
    """One line per include that points upwards, or to a folder that the table does not know."""
    found = []
    for layer, path in sources(root):
        if layer not in ALLOWED:
            found.append(f"{path}: folder {layer} is not in the table of tools/check_layers.py")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match or match[1] in {*LIBRARIES, layer}:
                continue
            if match[1] not in ALLOWED[layer]:
                found.append(f"{path}:{number}: {layer} must not include {match[1]}/")
    return found


def leaks(root: Path) -> list[str]:
    """One line per include of a public header that is not installed with it."""
    found = []
    for path in sorted(root.glob("include/twofold/*.h")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith('#include "') and not line.startswith('#include "twofold/'):
                found.append(f"{path}:{number}: a public header must include public ones only")
    return found


def main() -> int:
    """Prints the violations; 1 if there are any."""
    root = Path(__file__).resolve().parent.parent
    found = violations(root) + leaks(root)
    print("\n".join(found) if found else "layers: every include points downwards")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
