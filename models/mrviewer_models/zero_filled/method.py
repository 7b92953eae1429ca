"""The zero-filled image: the adjoint of the scan, with zeros where nothing was acquired."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.physics import adjoint
from mrviewer.progress import Progress
from mrviewer.study import Study

__all__ = ["METHOD", "ZeroFilled"]


_CARD = Card(
    name="zero-filled",
    title="Zero-filled",
    tasks=(Task.RECONSTRUCT,),
    needs=Needs(),
    citation="Roemer PB et al. (1990), The NMR phased array, Magn Reson Med 16:192-225, doi:10.1002/mrm.1910160203",
    limits=("Nothing is done about aliasing: this is the starting point that other methods are compared with.",),
    is_adjoint=True,
)


@dataclass(frozen=True)
class ZeroFilled:
    """Coil-combined inverse Fourier transform of the acquired samples: ``x = A^H y``."""

    card = _CARD

    def fits(self, study: Study, modality: str) -> Fit:
        """Fits everything that has an image or k-space."""
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Reconstruct slice by slice; always on the processor, since one slice takes a millisecond."""
        del device
        n_slices, _, height, width = measurement.kspace.shape
        image = np.zeros((n_slices, height, width), np.complex64)
        for index, (kspace, maps) in enumerate(zip(measurement.kspace, measurement.coil_maps, strict=True)):
            image[index] = adjoint(kspace, maps)
            yield Progress(index + 1, n_slices, f"slice {index + 1} of {n_slices}")
        return Result(image=image)


METHOD = ZeroFilled()
