#!/usr/bin/env bash
# Installs what Twofold needs on Debian 12: packages, and a .venv with the Python tools. Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build ccache make git python3 python3-venv python3-dev
  libprotobuf-dev protobuf-compiler libonnx-dev libdnnl-dev libhwy-dev libyaml-cpp-dev nlohmann-json3-dev
  libcli11-dev libfmt-dev libgtest-dev libbenchmark-dev libzip-dev duktape-dev libjs-d3
  clang clang-format clang-tidy libclang-rt-14-dev libomp-14-dev
  g++-aarch64-linux-gnu qemu-user googletest
  chromium chromium-driver
  fonts-dejavu fonts-liberation fonts-freefont-ttf
)
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
if ! cmp -s tools/requirements.txt .venv/requirements.installed; then
  .venv/bin/pip install -q -r tools/requirements.txt
  cp tools/requirements.txt .venv/requirements.installed
fi
