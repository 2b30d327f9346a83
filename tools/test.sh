#!/usr/bin/env bash
# All tests of a built checkout; what CI runs on top is in .ci/run. Ends on pytest's summary.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/lint.sh
ctest --test-dir build --output-on-failure -j2 | tail -n 15
.venv/bin/pytest -q -n 2 tests
