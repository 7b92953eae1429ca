"""Sampling masks: which samples of k-space are acquired.

`make_mask` makes one of a family (`mask_families`) or reads one from a file (`load_mask`);
`point_spread_function` shows what it does to a single bright pixel, and `learned_probability` what is behind a mask
that a method learned. Each family is one file and one line of the registry.
"""

from mrviewer.mask import Mask
from mrviewer.sampling.family import MaskFamily, MaskSetting
from mrviewer.sampling.full import FULL
from mrviewer.sampling.learned import (
    LearnedPattern,
    installed_patterns,
    learned_probability,
    mask_of_patterns,
)
from mrviewer.sampling.mask_file import FILE, load_mask
from mrviewer.sampling.psf import peak_side_lobe, point_spread_function
from mrviewer.sampling.registry import family_of, make_mask, mask_families

__all__ = [
    "FILE",
    "FULL",
    "LearnedPattern",
    "Mask",
    "MaskFamily",
    "MaskSetting",
    "family_of",
    "installed_patterns",
    "learned_probability",
    "load_mask",
    "make_mask",
    "mask_families",
    "mask_of_patterns",
    "peak_side_lobe",
    "point_spread_function",
]
