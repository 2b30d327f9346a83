"""What scripts that export do next: `from twofold.hbdk4.compiler import save`."""

from . import compiler

__all__ = ["compiler"]
