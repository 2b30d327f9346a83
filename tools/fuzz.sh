#!/usr/bin/env bash
# Every fuzz target for SECONDS (default 60), each from its seed corpus, side by side.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"

cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/tools/ccache.sh" \
  -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTWOFOLD_TESTS=OFF -DTWOFOLD_FUZZ=ON > /dev/null
ninja -C build-fuzz fuzzers
fuzz() {  # TARGET
  local corpus="build-fuzz/corpus/$1" seeds="tests/fuzz/seeds/$1"
  mkdir -p "$corpus"
  "build-fuzz/tests/fuzz/$1" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=0 \
    -verbosity=0 "$corpus" $([ -d "$seeds" ] && echo "$seeds")
}
declare -A started
for path in build-fuzz/tests/fuzz/*_fuzz; do
  target=$(basename "$path")
  echo "fuzzing $target for $seconds s"
  fuzz "$target" > "build-fuzz/$target.log" 2>&1 &
  started[$target]=$!
done
failed=0
for target in "${!started[@]}"; do
  wait "${started[$target]}" || { cat "build-fuzz/$target.log"; echo "$target failed" >&2; failed=1; }
done
exit $failed
