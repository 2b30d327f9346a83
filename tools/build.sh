#!/usr/bin/env bash
# Builds build/twofold and the Python extension (release), and makes `import twofold` work in .venv; with other ninja
# targets as arguments, those: `tools/build.sh all` adds what tests need, C++ tests and an extension without SIMD.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/tools/ccache.sh" \
  -DTWOFOLD_PYTHON=ON -DTWOFOLD_SCALAR=ON -DPython_EXECUTABLE="$PWD/.venv/bin/python" > build.log 2>&1 || { cat build.log; exit 1; }
rm -f build.log
[ $# -gt 0 ] || set -- twofold twofold_c _twofold
ninja -C build "$@"

# The extension is built into python/twofold; a path file makes the package importable in .venv.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$PWD/python" > "$site/twofold-checkout.pth"
