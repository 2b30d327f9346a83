#!/usr/bin/env bash
# Layers, operator names, formatting and linters; any finding fails.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 tools/check_layers.py
python3 tools/check_op_names.py
git ls-files '*.cc' '*.c' '*.h' | xargs clang-format --dry-run -Werror
.venv/bin/ruff check -q .
.venv/bin/ruff format -q --check .
