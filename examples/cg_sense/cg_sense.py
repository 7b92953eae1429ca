"""Iterative SENSE with Tikhonov regularisation, as a method of mrviewer in a package of its own."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.physics import adjoint, forward
from mrviewer.progress import Progress
from mrviewer.study import Study

__all__ = ["METHOD", "CgSense", "solve_sense"]

ComplexArray = NDArray[np.complexfloating]

_CARD = Card(
    name="cg-sense",
    title="Iterative SENSE",
    tasks=(Task.RECONSTRUCT,),
    needs=Needs(),
    citation="Pruessmann KP et al. (2001), Advances in sensitivity encoding with arbitrary k-space trajectories, "
    "Magn Reson Med 46:638-651, doi:10.1002/mrm.1241",
    limits=(
        "Coils alone undo the aliasing: at an acceleration near the number of coils, noise is amplified.",
        "The regularisation is a fixed number and not chosen for each scan.",
    ),
)


@dataclass(frozen=True)
class CgSense:
    """Minimise ``|A x - y|^2 + lambda |x|^2`` over images x, by conjugate gradients.

    Parameters
    ----------
    regularisation
        Lambda. The eigenvalues of ``A^H A`` lie between 0 and 1 with normalised coil maps, so this is dimensionless.
    max_iterations
        Of each slice.
    tolerance
        Norm of the residual, as a part of that of the zero-filled image, at which a slice is finished.
    """

    regularisation: float = 0.01
    max_iterations: int = 20
    tolerance: float = 1e-3

    @property
    def card(self) -> Card:
        """What it says of itself."""
        return _CARD

    def fits(self, study: Study, modality: str) -> Fit:
        """Say no to a scan with one coil: from a single view nothing can be told apart."""
        raw = study.raw.get(modality)
        if raw is None or raw.shape[1] < 2:
            return Fit(False, f"{self.card.name} tells aliases apart by several coils and this scan has one")
        return check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Reconstruct slice by slice, on the processor whatever `device` is; it can be cancelled after each slice."""
        del device
        n_slices, _, height, width = measurement.kspace.shape
        image = np.zeros((n_slices, height, width), np.complex64)
        for index, (kspace, maps) in enumerate(zip(measurement.kspace, measurement.coil_maps, strict=True)):
            image[index] = solve_sense(
                kspace,
                maps,
                regularisation=self.regularisation,
                max_iterations=self.max_iterations,
                tolerance=self.tolerance,
            )
            yield Progress(index + 1, n_slices, f"slice {index + 1} of {n_slices}")
        return Result(image=image)


def solve_sense(
    kspace: ComplexArray,
    maps: ComplexArray,
    *,
    regularisation: float = 0.01,
    max_iterations: int = 20,
    tolerance: float = 1e-3,
) -> ComplexArray:
    """Solve ``(A^H A + lambda) x = A^H y`` for one slice.

    Parameters
    ----------
    kspace : complex, (coil, y, x)
        Zero where nothing was acquired.
    maps : complex, (coil, y, x)
        Normalised sensitivities.
    regularisation, max_iterations, tolerance
        See `CgSense`.

    Returns
    -------
    complex, (y, x)
        In the units of `kspace`.
    """
    # A scan that was undersampled when it was acquired lacks more than the mask says: believe the data.
    acquired = np.any(kspace != 0, axis=0)
    right_side = adjoint(kspace, maps)
    image = np.zeros_like(right_side)
    residual = direction = right_side
    energy = first = float(np.vdot(residual, residual).real)
    for _ in range(max_iterations):
        if energy <= tolerance**2 * first:
            break
        changed = adjoint(forward(direction, maps, acquired), maps) + regularisation * direction
        length = energy / float(np.vdot(direction, changed).real)
        image = image + length * direction
        residual = residual - length * changed
        energy, before = float(np.vdot(residual, residual).real), energy
        direction = residual + energy / before * direction
    return image


METHOD = CgSense()
