#!/bin/sh
# A compiler, through ccache: the launcher of every build here. All checkouts share one cache, whatever folder they lie in.
# Precompiled headers are taken only if ccache is told that it may rely on their content alone.
root=$(dirname "$(dirname "$0")")
CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros exec ccache "$@"
