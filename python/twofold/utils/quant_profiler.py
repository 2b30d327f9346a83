"""The profiler's functions under the path that they had before it was a package of its own."""

from ..profiler import *  # noqa: F403
from ..profiler import __all__ as __all__
