"""How far an image is from its reference: PSNR, SSIM, NMSE, HFEN and the error map.

Images are volumes ``(z, y, x)`` in internal order (`mrviewer.geometry`), cut into slices along one axis. Complex values
are taken by magnitude, real values as they are (`mrviewer.evaluation.assessment` takes all by magnitude). A figure that
cannot be computed is `None`, never 0 and never NaN: the images hold a NaN, the reference is empty, a slice is smaller
than the window, or the images are equal (PSNR).
`CONVENTIONS` says what the figures mean and is printed beside them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.metrics import edge_filter
from mrviewer.metrics.boxes import bounding_box
from mrviewer.metrics.edge_filter import EdgeFilter
from mrviewer.metrics.ssim import WINDOW, SliceSimilarity
from mrviewer.sliced import SlicedVolume, Volume, block_of, cropped

__all__ = [
    "CONVENTIONS",
    "REGION_CONVENTION",
    "ImageQuality",
    "SliceQuality",
    "error_map",
    "hfen",
    "image_quality",
    "image_quality_in",
    "nmse",
    "psnr",
    "slice_quality",
    "ssim",
    "ssim_by_slice",
]

CONVENTIONS = (
    "PSNR: 10 log10(L^2 / MSE) in dB over the whole volume, L = maximum of the reference volume.",
    "SSIM: 2-D, uniform 7 x 7 window, K1 0.01, K2 0.03, sample covariance, L = maximum of the reference volume; only "
    "windows inside the slice; mean over all slices, empty ones too.",
    "NMSE: ||image - reference||^2 / ||reference||^2 over the whole volume.",
    "HFEN: ||LoG(image) - LoG(reference)|| / ||LoG(reference)||, 2-D Laplacian of Gaussian 15 x 15, sigma 1.5 pixels; "
    "only windows inside the slice.",
)
REGION_CONVENTION = (
    "Inside a region: MSE, NMSE and HFEN over its voxels, SSIM as the mean over its voxels of the same windows, which "
    "reach 3 pixels beyond it; L is that of the whole volume."
)

_SLICES_AT_ONCE = 8
Array = NDArray[np.generic]
"""Real or complex numbers of any type."""
Real = NDArray[np.floating]
Region = NDArray[np.bool_]


@dataclass(frozen=True)
class ImageQuality:
    """Figures of a volume against its reference.

    Parameters
    ----------
    psnr
        Peak signal-to-noise ratio, dB.
    ssim, nmse, hfen
        Structural similarity (1 is best), normalised squared error and high-frequency error norm (0 is best).
    """

    psnr: float | None
    ssim: float | None
    nmse: float | None
    hfen: float | None


@dataclass(frozen=True)
class SliceQuality:
    """Figures of one slice: PSNR in dB, SSIM."""

    psnr: float | None
    ssim: float | None


def image_quality(image: Volume, reference: Volume, slice_axis: int = 0) -> ImageQuality:
    """All figures of a volume.

    Parameters
    ----------
    image, reference : (z, y, x)
        The same units; complex values are taken by magnitude.
    slice_axis
        Axis along which the volume is cut into slices.

    Raises
    ------
    ShapeError
        If the two volumes differ in size, or are not three-dimensional.
    """
    squared_error, energy, maximum = _moments(image, reference)
    return ImageQuality(
        _decibels(squared_error / max(reference.size, 1), maximum),
        ssim(image, reference, slice_axis, maximum),
        _finite(squared_error / energy) if energy > 0 else None,
        hfen(image, reference, slice_axis),
    )


def image_quality_in(region: Region, image: Volume, reference: Volume, slice_axis: int = 0) -> ImageQuality:
    """All figures of the part of a volume that lies in a region; see `REGION_CONVENTION`.

    Where the region is everything they are those of `image_quality`. What lies farther from the region than a window
    reaches changes nothing.

    Parameters
    ----------
    region : bool, (z, y, x)
        The part.
    image, reference, slice_axis
        See `image_quality`.

    Raises
    ------
    ShapeError
        If the three differ in size, or are not three-dimensional.
    """
    _require_same_shape(image, reference)
    _require_same_shape(region, reference)
    data_range, box = _maximum(reference), bounding_box(region)
    if box is None:
        return ImageQuality(None, None, None, None)
    z, y, x = (
        edge
        if axis == slice_axis
        else slice(max(edge.start - edge_filter.REACH, 0), min(edge.stop + edge_filter.REACH, size))
        for axis, (edge, size) in enumerate(zip(box, reference.shape, strict=True))
    )
    grown = (z, y, x)
    region, image, reference = region[grown], cropped(image, grown), cropped(reference, grown)
    squared_error, energy, _ = _moments(image, reference, region)
    return ImageQuality(
        _decibels(squared_error / np.count_nonzero(region), data_range),
        _ssim_in(region, image, reference, slice_axis, data_range),
        _finite(squared_error / energy) if energy > 0 else None,
        hfen(image, reference, slice_axis, region),
    )


def psnr(image: Volume, reference: Volume, data_range: float | None = None) -> float | None:
    """Peak signal-to-noise ratio, ``10 log10(L^2 / MSE)``, in dB.

    Parameters
    ----------
    image, reference : (z, y, x)
    data_range
        L; by default the maximum of `reference`.

    Returns
    -------
    float or None
        `None` if L is not positive, the volumes are equal, or one holds a NaN.
    """
    squared_error, _, maximum = _moments(image, reference)
    return _decibels(squared_error / max(reference.size, 1), maximum if data_range is None else data_range)


def nmse(image: Volume, reference: Volume) -> float | None:
    """Normalised mean squared error, ``||image - reference||^2 / ||reference||^2``; `None` for an empty reference."""
    squared_error, energy, _ = _moments(image, reference)
    return _finite(squared_error / energy) if energy > 0 else None


def ssim(image: Volume, reference: Volume, slice_axis: int = 0, data_range: float | None = None) -> float | None:
    """Structural similarity, mean over all slices; see `CONVENTIONS`.

    Parameters
    ----------
    image, reference : (z, y, x)
    slice_axis
        Axis along which the volume is cut into slices.
    data_range
        L; by default the maximum of `reference`.

    Returns
    -------
    float or None
        `None` if L is not positive, slices are smaller than 7 x 7, or a volume holds a NaN.

    References
    ----------
    Wang Z et al. (2004), IEEE Trans Image Process 13:600-612, doi:10.1109/TIP.2003.819861.
    """
    values = ssim_by_slice(image, reference, slice_axis, data_range)
    return None if values is None else _finite(float(values.mean()))


def ssim_by_slice(
    image: Volume, reference: Volume, slice_axis: int = 0, data_range: float | None = None
) -> NDArray[np.float64] | None:
    """Structural similarity of every slice ``(slice,)``; `None` and arguments as for `ssim`."""
    pairs = _slices(image, reference, slice_axis)
    maximum = _maximum(reference) if data_range is None else data_range
    height, width = np.delete(reference.shape, slice_axis)
    if not 0 < maximum < np.inf or min(height, width) < WINDOW or not reference.size:
        return None
    similarity = SliceSimilarity(int(height), int(width))
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.array([similarity.mean(x, y, maximum) for x, y in pairs])
    return values if np.isfinite(values).all() else None


def _ssim_in(region: Region, image: Volume, reference: Volume, slice_axis: int, data_range: float) -> float | None:
    """Mean structural similarity over the voxels of a region whose window lies inside the slice."""
    pairs = _slices(image, reference, slice_axis)
    height, width = (int(size) for size in np.delete(reference.shape, slice_axis))
    inner = slice(WINDOW // 2, -(WINDOW // 2))
    centres = np.moveaxis(region, slice_axis, 0)[:, inner, inner]
    n_counted = int(np.count_nonzero(centres))
    if not 0 < data_range < np.inf or min(height, width) < WINDOW or not n_counted:
        return None
    similarity = SliceSimilarity(height, width)
    with np.errstate(invalid="ignore", over="ignore"):
        total = sum(similarity.sum_over(part, x, y, data_range) for part, (x, y) in zip(centres, pairs, strict=True))
    return _finite(total / n_counted)


def hfen(image: Volume, reference: Volume, slice_axis: int = 0, region: Region | None = None) -> float | None:
    """High-frequency error norm, ``||LoG(image) - LoG(reference)|| / ||LoG(reference)||``.

    Parameters
    ----------
    image, reference : (z, y, x)
    slice_axis
        Axis along which the volume is cut into slices.
    region : bool, (z, y, x)
        Voxels that count; `None` for all.

    Returns
    -------
    float or None
        `None` if the reference is constant in every slice, slices are smaller than 15 x 15, or a volume holds a NaN.

    References
    ----------
    Ravishankar S, Bresler Y (2011), MR image reconstruction from highly undersampled k-space data by dictionary
    learning, IEEE Trans Med Imaging 30:1028-1041, doi:10.1109/TMI.2010.2090538. Theirs keeps the border, padded with
    zeros; ours leaves it out.
    """
    pairs = _slices(image, reference, slice_axis)
    height, width = (int(size) for size in np.delete(reference.shape, slice_axis))
    if min(height, width) < edge_filter.SIZE:
        return None
    edges = EdgeFilter(height, width)
    inner = slice(edge_filter.REACH, -edge_filter.REACH)
    centres = None if region is None else np.moveaxis(region, slice_axis, 0)[:, inner, inner]
    with np.errstate(invalid="ignore", over="ignore"):
        error_energy, edge_energy, energy = sum(
            (edges.energies(x, y, None if centres is None else centres[number]) for number, (x, y) in enumerate(pairs)),
            start=np.zeros(3),
        )
    if not edge_energy > 1e-20 * energy:  # what rounding leaves of a constant
        return None
    return _finite(float(np.sqrt(error_energy / edge_energy)))


def error_map(image: Array, reference: Array, *, signed: bool = True) -> NDArray[np.float32]:
    """Error of every voxel, ``|image| - |reference|``, or its modulus.

    Parameters
    ----------
    image, reference : any shape
        The same units; complex values are taken by magnitude.
    signed
        Whether to keep the sign: positive where the image is too bright.

    Returns
    -------
    float32, shape of `image`
        In the units of the images.

    Raises
    ------
    ShapeError
        If the two differ in size.
    """
    _require_same_shape(image, reference)
    error = np.subtract(_real(image), _real(reference), dtype=np.float32)
    return error if signed else np.abs(error, out=error)


def slice_quality(image: Array, reference_slice: Array, data_range: float) -> SliceQuality:
    """Figures of one slice, quick enough for every frame while a slider moves.

    Parameters
    ----------
    image, reference_slice : (y, x)
    data_range
        L, the maximum of the whole reference volume.

    Raises
    ------
    ShapeError
        If the two differ in size, or are not two-dimensional.
    """
    _require_same_shape(image, reference_slice)
    if reference_slice.ndim != 2:
        raise ShapeError(f"the slice is {reference_slice.shape} but (y, x) was expected; give one slice")
    x, y = _real(image), _real(reference_slice)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.subtract(x, y, dtype=np.float64)
        decibels = _decibels(_sum_of_squares(error) / max(error.size, 1), data_range)
        if not 0 < data_range < np.inf or min(x.shape) < WINDOW:
            return SliceQuality(decibels, None)
        return SliceQuality(decibels, _finite(SliceSimilarity(*x.shape).mean(x, y, data_range)))


def _moments(image: Volume, reference: Volume, region: Region | None = None) -> tuple[float, float, float]:
    """Sum of squared errors, sum of squares of the reference, maximum of the reference; one pass, slice by slice."""
    _require_same_shape(image, reference)
    squared_error, energy, maximum = 0.0, 0.0, -np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        axis = _cheapest_axis(image, reference)
        for number, (x, y) in enumerate(_planes(image, reference)):
            if region is not None:
                counted = np.moveaxis(region, axis, 0)[number]
                x, y = x[counted], y[counted]
            wide = _real(y).astype(np.float64)
            maximum = max(maximum, float(wide.max(initial=-np.inf)))
            energy += _sum_of_squares(wide)
            squared_error += _sum_of_squares(np.subtract(_real(x), wide, out=wide))
    return squared_error, energy, maximum


def _planes(image: Volume, reference: Volume) -> Iterator[tuple[Array, Array]]:
    """Pairs of slices, along the axis along which they cost least."""
    axis = _cheapest_axis(image, reference)
    for index in range(reference.shape[axis]):
        yield block_of(image, axis, index, index + 1)[0], block_of(reference, axis, index, index + 1)[0]


def _cheapest_axis(image: Volume, reference: Volume) -> int:
    return next((volume.axis for volume in (reference, image) if isinstance(volume, SlicedVolume)), 0)


def _decibels(mean_squared_error: float, data_range: float) -> float | None:
    if not (0 < mean_squared_error < np.inf and 0 < data_range < np.inf):
        return None
    return float(20 * np.log10(data_range) - 10 * np.log10(mean_squared_error))


def _slices(image: Volume, reference: Volume, slice_axis: int) -> Iterator[tuple[Real, Real]]:
    """Pairs of real slices; a few are copied at once because neighbours may share every cache line."""
    _require_same_shape(image, reference)
    if reference.ndim != 3 or not 0 <= slice_axis < 3:
        raise ShapeError(
            f"the volume is {reference.shape} cut along axis {slice_axis}, but (z, y, x) and an axis 0 to 2 were "
            f"expected; give one volume"
        )
    return _read_slices(image, reference, slice_axis)


def _read_slices(image: Volume, reference: Volume, axis: int) -> Iterator[tuple[Real, Real]]:
    n_slices = reference.shape[axis]
    for start in range(0, n_slices, _SLICES_AT_ONCE):
        stop = min(start + _SLICES_AT_ONCE, n_slices)
        blocks = (_real(block_of(volume, axis, start, stop)) for volume in (image, reference))
        yield from zip(*map(np.ascontiguousarray, blocks), strict=True)


def _real(array: Array) -> Real:
    real: Real = np.abs(array) if np.iscomplexobj(array) else array  # type: ignore[assignment]
    return real


def _maximum(reference: Volume) -> float:
    return max((float(_real(y).max()) for _, y in _planes(reference, reference) if y.size), default=-np.inf)


def _sum_of_squares(array: NDArray[np.floating]) -> float:
    flat = array.ravel()
    return float(np.dot(flat, flat))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _require_same_shape(image: Volume, reference: Volume) -> None:
    if image.shape != reference.shape:
        raise ShapeError(
            f"the image is {image.shape} but its reference is {reference.shape}; give two images on one grid"
        )
