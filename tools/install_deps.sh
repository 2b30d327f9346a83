#!/usr/bin/env bash
# Installs what Twofold needs on Debian 12: packages, and a .venv with the Python tools. With `test`, also what only its
# tests need: compilers for sanitizers and ARM, a browser, PyTorch. Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build ccache make git python3 python3-venv python3-dev
  libprotobuf-dev protobuf-compiler libonnx-dev libdnnl-dev libhwy-dev libyaml-cpp-dev nlohmann-json3-dev
  libcli11-dev libfmt-dev libgtest-dev libbenchmark-dev libzip-dev duktape-dev libjs-d3
  fonts-dejavu fonts-liberation fonts-freefont-ttf
)
if [ "${1:-}" = test ]; then
  packages+=(
    clang clang-format clang-tidy libclang-rt-14-dev libomp-14-dev
    g++-aarch64-linux-gnu qemu-user googletest
    chromium chromium-driver
  )
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

[ -x .venv/bin/python ] || python3 -m venv .venv

# Installs a file of requirements, with more arguments of pip, if it is not the one that was installed last.
install() {
  local list=$1 done=.venv/$(basename "$1").installed
  shift
  cmp -s "$list" "$done" && return
  .venv/bin/pip install -q "$@" -r "$list" && cp "$list" "$done"
}
install tools/requirements.txt
if [ "${1:-}" = test ]; then
  # PyTorch's own index has a build for CPUs, a tenth of the size of the one on PyPI.
  install tools/requirements_test.txt --retries 0 --timeout 10 --extra-index-url https://download.pytorch.org/whl/cpu 2>/dev/null ||
    install tools/requirements_test.txt
fi
