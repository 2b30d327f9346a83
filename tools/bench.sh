#!/usr/bin/env bash
# The kernels against the CPU's peak; trials against whole models; float and integer execution, and calibration, against
# ONNX Runtime; 16x8 against LiteRT where that is installed. Needs the models of the demo (examples/ocr/fetch_model.py).
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build -DTWOFOLD_BENCH=ON > /dev/null
ninja -C build kernels_bench trials_bench
build/bench/kernels/kernels_bench
build/bench/trials/trials_bench examples/digits/digits.onnx examples/digits/calibration.npz
.venv/bin/python examples/ocr/fetch_model.py
.venv/bin/python bench/float_models.py
.venv/bin/python bench/integer_models.py
if .venv/bin/python -c "import ai_edge_litert" 2>/dev/null; then
  .venv/bin/python bench/litert.py
fi
.venv/bin/python bench/startup.py
.venv/bin/python bench/integer_share.py
.venv/bin/python bench/agreement.py
.venv/bin/python bench/agreement.py --own
.venv/bin/python bench/calibration.py .cache/ocr/det.onnx --samples "${SAMPLES:-100}"
