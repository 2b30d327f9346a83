"""Helpers of training loops."""

from . import quant_switch

__all__ = ["quant_switch"]
