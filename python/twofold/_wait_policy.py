"""Loads the extension with threads that sleep while they wait, unless the environment says how.

GNU's OpenMP runtime lets them spin for milliseconds instead. Where other programs want the cores
too, a thread that spins keeps out the one it waits for, and a network that takes 8 ms takes 400.
The runtime reads the environment once, when it is loaded; afterwards the environment is as it was.
"""

import os


def _load_extension():
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        from . import _twofold  # noqa: F401
    finally:
        del os.environ["OMP_WAIT_POLICY"]


_load_extension()
