#!/usr/bin/env bash
# Writes what type checkers read of the Python extension, from the signatures that it has: to python/twofold/_twofold.pyi,
# or to the file that is named. To be called when they have changed; a test compares the two.
set -euo pipefail
cd "$(dirname "$0")/.."

stub=${1:-python/twofold/_twofold.pyi}
.venv/bin/python -m nanobind.stubgen -q -m twofold._twofold -o "$stub"
# `mypy --strict` wants to know of what.
sed -i -E 's/os\.PathLike\b/os.PathLike[str]/g' "$stub"
