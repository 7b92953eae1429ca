"""A scanner for simulated patients: smooth phase, several coils, noise."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils import ring_coil_maps
from mrviewer.geometry import Geometry
from mrviewer.physics import combine_coils, fft2c
from mrviewer.study import Origin

__all__ = ["ScannedImage", "SimulatedScan", "smooth_phase"]


def smooth_phase(shape: tuple[int, int], rng: np.random.Generator, *, degree: int = 3) -> NDArray[np.float32]:
    """Random two-dimensional polynomial of at most `degree`, scaled so that no phase exceeds pi in size."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    phase = np.zeros(shape, np.float32)
    for power_y in range(degree + 1):
        for power_x in range(degree + 1 - power_y):
            phase += np.float32(rng.normal()) * y**power_y * x**power_x
    return phase * np.float32(rng.uniform(0.3, 1.0) * np.pi / max(float(np.abs(phase).max()), 1e-6))


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """Multi-coil k-space of a magnitude volume cut into axial slices.

    Parameters
    ----------
    modality
        Of the image.
    magnitude : float32, (z, y, x)
        Noise-free image.
    seed
        Of phase and noise.
    n_coils
        Coils on a ring around the head.
    noise_level
        Standard deviation of the complex noise in one coil image (real and imaginary part each), in units of
        `magnitude`.
    voxel_size_mm : (z, y, x)
        Voxel edges.
    """

    modality: str
    magnitude: NDArray[np.float32]
    seed: int
    n_coils: int = 8
    noise_level: float = 0.03
    voxel_size_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def origin(self) -> Origin:
        """Always `Origin.PHANTOM`."""
        return Origin.PHANTOM

    @property
    def geometry(self) -> Geometry:
        """Upright, around the isocentre."""
        n_slices, height, width = self.magnitude.shape
        return Geometry.axial((n_slices, height, width), self.voxel_size_mm)

    @property
    def slice_axis(self) -> int:
        """Axial."""
        return 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        n_slices, height, width = self.magnitude.shape
        return n_slices, self.n_coils, height, width

    @property
    def acquired(self) -> None:
        """Nothing is missing."""
        return

    @cached_property
    def _maps(self) -> NDArray[np.complex64]:
        return ring_coil_maps((self.shape[2], self.shape[3]), self.n_coils)

    @cached_property
    def _phase(self) -> NDArray[np.complex64]:
        rng = np.random.default_rng([self.seed, *self.modality.encode()])
        phase = smooth_phase((self.shape[2], self.shape[3]), rng)
        factor: NDArray[np.complex64] = np.exp(1j * phase).astype(np.complex64)
        return factor

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        """The true sensitivities, alike in all slices."""
        del index
        return self._maps

    def kspace(self, index: int) -> NDArray[np.complex64]:
        """Fully sampled noisy k-space ``(coil, y, x)`` of one slice, the same at every call."""
        return fft2c(self._coil_images(index)).astype(np.complex64, copy=False)

    def image(self, index: int) -> NDArray[np.float32]:
        """Magnitude ``(y, x)`` of the fully sampled slice, coils combined."""
        magnitude: NDArray[np.float32] = np.abs(combine_coils(self._coil_images(index), self._maps)).astype(np.float32)
        return magnitude

    def _coil_images(self, index: int) -> NDArray[np.complex64]:
        rng = np.random.default_rng([self.seed, index, *self.modality.encode()])
        shape = (2, *self.shape[1:])
        noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(self.noise_level)
        images: NDArray[np.complex64] = (self.magnitude[index] * self._phase)[None] * self._maps
        images += noise[0]
        images += np.complex64(1j) * noise[1]
        return images


@dataclass(frozen=True, eq=False)
class ScannedImage:
    """Fully sampled magnitude ``(z, y, x)`` of a simulated scan, computed when it is first looked at."""

    scan: SimulatedScan

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        return self.scan.magnitude.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Single precision."""
        return np.dtype(np.float32)

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the whole volume in memory."""
        return np.array(self._volume, dtype=dtype, copy=copy)

    @cached_property
    def _volume(self) -> NDArray[np.float32]:
        volume = np.stack([self.scan.image(index) for index in range(self.scan.shape[0])])
        volume.setflags(write=False)
        return volume
