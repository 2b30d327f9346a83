#!/usr/bin/env bash
# Every fuzz target for SECONDS (default 60), each from its seed corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"

cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
  -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTWOFOLD_TESTS=OFF -DTWOFOLD_FUZZ=ON > /dev/null
ninja -C build-fuzz fuzzers
for target in build-fuzz/tests/fuzz/*_fuzz; do
  corpus="build-fuzz/corpus/$(basename "$target")"
  mkdir -p "$corpus"
  seeds="tests/fuzz/seeds/$(basename "$target")"
  echo "fuzzing $(basename "$target") for $seconds s"
  "$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=0 -verbosity=0 \
    "$corpus" $([ -d "$seeds" ] && echo "$seeds")
done
