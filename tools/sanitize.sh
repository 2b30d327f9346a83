#!/usr/bin/env bash
# The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer; with `thread` as argument, those of runs that
# overlap under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."

configure() {  # FOLDER SANITIZERS [OPTION]
  cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/tools/ccache.sh" \
    -DTWOFOLD_SANITIZE="$2" "${@:3}" > /dev/null
}

if [ "${1:-}" = thread ]; then
  configure build-tsan thread -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON
  ninja -C build-tsan concurrency_tests
  # OpenMP's runtime is not built with ThreadSanitizer, which would take every parallel loop for a race. Those of
  # base/thread_team.cc say what is synchronized; oneDNN's do not. So the sessions have one thread each, and the threads
  # that share them are the test's own: nothing needs to be suppressed.
  # Of the kernels, only some are built to be watched (cmake/twofold-compiler.cmake).
  TSAN_OPTIONS=halt_on_error=1 TWOFOLD_ISA=avx2 \
    build-tsan/concurrency_tests --gtest_brief=1 --gtest_filter=-*.SeveralThreadsPer*
  exit
fi

configure build-asan address,undefined
ninja -C build-asan twofold_tests avx_vnni_tests mutated_models
# OpenMP's thread pool is never freed; tests ask for more memory than there is, and expect an error.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
# Two halves side by side, whose threads do not spin for each other's cores.
export GOMP_SPINCOUNT=1000 GTEST_TOTAL_SHARDS=2
GTEST_SHARD_INDEX=1 build-asan/twofold_tests --gtest_brief=1 > build-asan/second_half.log 2>&1 &
GTEST_SHARD_INDEX=0 build-asan/twofold_tests --gtest_brief=1
wait $! || { cat build-asan/second_half.log; exit 1; }
tail -n 2 build-asan/second_half.log
unset GTEST_TOTAL_SHARDS
# Changed models through import, run and quantize; docs/robustness.md has more of them.
build-asan/mutated_models 500 1 2 build-asan/mutated_models.found tests/fuzz/seeds/onnx_reader_fuzz/* examples/*/*.onnx
ctest --test-dir build-asan -R "^avx_vnni$" --output-on-failure | tail -n 7
