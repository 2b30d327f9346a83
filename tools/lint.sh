#!/usr/bin/env bash
# Layers, operator names, formatting, linters and types; any finding fails.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 tools/check_layers.py
python3 tools/check_op_names.py
git ls-files '*.cc' '*.c' '*.h' | xargs clang-format --dry-run -Werror
.venv/bin/ruff check -q .
.venv/bin/ruff format -q --check .
# PyTorch takes most of a minute when it is read for the first time; .mypy_cache keeps what was made of it.
.venv/bin/python -m mypy -p twofold
