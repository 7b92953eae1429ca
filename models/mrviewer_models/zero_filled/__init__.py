"""Zero-filled reconstruction: what an accelerated scan looks like when nothing is done about it."""

from mrviewer_models.zero_filled.method import METHOD, ZeroFilled

__all__ = ["METHOD", "ZeroFilled"]
