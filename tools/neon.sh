#!/usr/bin/env bash
# The tests of the kernels for 64-bit ARM, built by a cross compiler and run under QEMU: on a CPU that has everything,
# and on one without dot products, so that both levels of NEON are chosen at run time. Not the whole of Twofold: the
# libraries that the rest needs are not there for the other architecture.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S tests/kernels -B build-neon -G Ninja --toolchain "$PWD/cmake/aarch64-linux-gnu.cmake" \
  -Wno-deprecated -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$PWD/tools/ccache.sh" > /dev/null
ninja -C build-neon kernel_tests

# The accuracy of elementary functions is left out: it is the same plain C++ everywhere, and is measured with long doubles,
# which 64-bit ARM has in software only.
run() {  # CPU BEST_LEVEL
  local log=build-neon/$1.log
  if ! qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu "$1" build-neon/kernel_tests \
    --gtest_filter=-Math.ErrorsAreAsDocumented:Math.PowIsWithin051Ulp > "$log" 2>&1; then
    cat "$log"
    return 1
  fi
  # The levels that the CPU has are parameters of the tests, the one that is chosen by itself the last of them.
  local levels
  levels=$(sed -n 's/.* OK .*GemmTest.TakesZeroPoints\/\([a-z]*\) .*/\1/p' "$log" | xargs)
  echo "$1: $levels: $(tail -n 1 "$log")"
  [ "${levels##* }" = "$2" ] || { echo "tools/neon.sh: $1 should have chosen $2" >&2; return 1; }
}
run max neondot
run cortex-a53 neon
