"""Loads the extension with idle threads that soon sleep, unless the environment says how they wait.

GNU's OpenMP runtime lets them spin for milliseconds instead. Where other programs want the cores
too, a thread that spins keeps out the one it waits for, and a network that takes 8 ms takes 400;
where none do, waking a thread up takes as long as a small operator. The runtime reads the
environment once, when it is loaded; afterwards the environment is as it was.
"""

import os


def _load_extension() -> None:
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ["GOMP_SPINCOUNT"] = "1000"
    try:
        from . import _twofold  # noqa: F401
    finally:
        del os.environ["GOMP_SPINCOUNT"]


_load_extension()
