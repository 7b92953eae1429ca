"""Compressed sensing as a method: its card, and the loop over slices."""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer_models.cs_wavelet.options import Options

__all__ = ["METHOD", "CsWavelet"]

_ITERATIONS_BETWEEN_YIELDS = 4


_CARD = Card(
    name="cs-wavelet",
    title="Compressed sensing (l1-wavelet)",
    tasks=(Task.RECONSTRUCT,),
    needs=Needs(),
    citation="Lustig M, Donoho D, Pauly JM (2007), Sparse MRI, Magn Reson Med 58:1182-1195, doi:10.1002/mrm.21391; "
    "solved as in Beck A, Teboulle M (2009), SIAM J Imaging Sci 2:183-202, doi:10.1137/080716542",
    figures=(
        "FLAIR of MS patient 19 (182 slices of 1 mm, magnitude only), random lines at acceleration 4 with 8 % centre, "
        "seed 0, whole volume: PSNR 32.2 dB and SSIM 0.935, against 27.2 dB and 0.781 zero-filled.",
    ),
    limits=(
        "Random or Poisson-disc masks suit it; equispaced lines leave coherent ghosts that sparsity cannot tell apart.",
        "The penalty is tuned for noiseless data: noisy scans keep their noise.",
        "It computes on the processor, whatever device is chosen.",
    ),
)


@dataclass(frozen=True)
class CsWavelet:
    """l1-wavelet compressed sensing with any number of coils.

    Parameters
    ----------
    options
        How the problem is posed and solved.
    """

    card = _CARD
    options: Options = field(default_factory=Options)

    def fits(self, study: Study, modality: str) -> Fit:
        """Fits everything that has an image or k-space."""
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Reconstruct slice by slice on the processor, and yield every few iterations."""
        del device
        from mrviewer_models.cs_wavelet.fista import solve

        n_slices, _, height, width = measurement.kspace.shape
        total = n_slices * self.options.iterations
        pattern = measurement.mask.pattern
        image = np.zeros((n_slices, height, width), np.complex64)
        for index, (kspace, maps) in enumerate(zip(measurement.kspace, measurement.coil_maps, strict=True)):
            before, message = index * self.options.iterations, f"slice {index + 1} of {n_slices}"
            if kspace.any():
                job = solve(kspace, maps, pattern, self.options)
                while True:
                    try:
                        iteration = next(job)
                    except StopIteration as end:
                        image[index] = end.value
                        break
                    if iteration % _ITERATIONS_BETWEEN_YIELDS == 0:
                        yield Progress(before + iteration, total, message)
            yield Progress(before + self.options.iterations, total, message)
        return Result(image=image)


METHOD = CsWavelet()
