#!/usr/bin/env bash
# The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build-asan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
  -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTWOFOLD_SANITIZE=address,undefined > /dev/null
ninja -C build-asan twofold_tests
# OpenMP's thread pool is never freed; tests ask for more memory than there is, and expect an error.
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 build-asan/twofold_tests --gtest_brief=1
