"""Receive coils: simulated and estimated sensitivities, noise whitening, compression, and combination.

`estimate_maps` is what most callers want: sensitivities of one slice from its own k-space.
"""

from mrviewer.coils.calibration import calibration_region
from mrviewer.coils.combination import root_sum_of_squares
from mrviewer.coils.compression import compress, compression_matrix
from mrviewer.coils.espirit import Espirit, espirit_maps
from mrviewer.coils.estimation import estimate_maps
from mrviewer.coils.ring import ring_coil_maps
from mrviewer.coils.whitening import noise_covariance, whiten, whitening_matrix

__all__ = [
    "Espirit",
    "calibration_region",
    "compress",
    "compression_matrix",
    "espirit_maps",
    "estimate_maps",
    "noise_covariance",
    "ring_coil_maps",
    "root_sum_of_squares",
    "whiten",
    "whitening_matrix",
]
