"""The numbers: SSIM of a volume and of a slice, HD95, and the lesion table."""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks import harness
from benchmarks.harness import Row
from benchmarks.samples import Sample, sample
from mrviewer.metrics.lesions import lesion_table
from mrviewer.metrics.quality import slice_quality, ssim
from mrviewer.metrics.surface import hd95_mm

Mask = NDArray[np.bool_]


def rows() -> Iterator[Row]:
    """Compare with scikit-image, MONAI and a loop over masks."""
    data = sample()
    yield from _similarity(data)
    near, far = _predictions(data)
    yield from _distance("HD95, prediction near the reference", data, near)
    yield from _distance("HD95, prediction with far false positives", data, far)
    yield from _lesions(data, near)


def _similarity(data: Sample) -> Iterator[Row]:
    names = ("SSIM, all slices", "SSIM and PSNR, one slice")
    if reason := harness.missing("skimage"):
        for name in names:
            yield harness.skipped(name, peer="scikit-image", target=0.5, reason=reason)
        return
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    reference = data.flair
    data_range = float(reference.max())
    noise = np.random.default_rng(1).normal(0, 0.03 * data_range, reference.shape)
    image = np.abs(reference + noise).astype(np.float32)

    def theirs() -> float:
        pairs = zip(image, reference, strict=True)
        return float(np.mean([structural_similarity(x, y, win_size=7, data_range=data_range) for x, y in pairs]))

    difference = abs((ssim(image, reference) or 0) - theirs())
    note = f"{data.source}; values differ by {difference:.0e}"
    yield harness.pair(
        names[0], lambda: ssim(image, reference), theirs, peer="scikit-image", target=0.5, rounds=5, note=note
    )
    x, y = image[95], reference[95]
    yield harness.pair(
        names[1],
        lambda: slice_quality(x, y, data_range),
        lambda: (
            structural_similarity(x, y, win_size=7, data_range=data_range),
            peak_signal_noise_ratio(y, x, data_range=data_range),
        ),
        peer="scikit-image",
        target=0.5,
        rounds=50,
        note=data.source,
    )


def _distance(name: str, data: Sample, prediction: Mask) -> Iterator[Row]:
    if reason := harness.missing("monai"):
        yield harness.skipped(name, peer="MONAI", target=0.2, reason=reason)
        return
    import torch
    from monai.metrics import compute_hausdorff_distance

    predicted, known = (torch.from_numpy(mask)[None, None] for mask in (prediction, data.lesions))
    spacing = data.geometry.voxel_size_mm

    def theirs() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MONAI's own deprecations
            distance = compute_hausdorff_distance(
                predicted, known, include_background=True, percentile=95, spacing=spacing
            )
        return float(distance.item())

    ours = hd95_mm(data.lesions, prediction, spacing)
    note = f"{data.source}; {ours:.4f} and {theirs():.4f} mm"
    yield harness.pair(
        name,
        lambda: hd95_mm(data.lesions, prediction, spacing),
        theirs,
        peer="MONAI",
        target=0.2,
        note=note,
    )


def _lesions(data: Sample, prediction: Mask) -> Iterator[Row]:
    table = lesion_table(data.lesions, prediction, data.geometry)
    dice = [row.dice for row in table.rows[: table.n_reference]]
    difference = abs(np.mean(dice) - np.mean(_dice_mask_by_mask(data.lesions, prediction)))
    note = f"{data.source}, {table.n_reference} lesions; mean Dice differs by {difference:.0e}"
    yield harness.pair(
        "lesion table",
        lambda: lesion_table(data.lesions, prediction, data.geometry),
        lambda: _dice_mask_by_mask(data.lesions, prediction),
        peer="label-by-label masks",
        target=0.125,
        rounds=3,
        note=note,
    )


def _dice_mask_by_mask(reference: Mask, prediction: Mask) -> list[float]:
    """Dice of every lesion as it is usually written: whole-volume masks, one lesion after the other."""
    structure = np.ones((3, 3, 3))
    known, n_known = ndimage.label(reference, structure)
    guessed, n_guessed = ndimage.label(prediction, structure)
    dice: list[float] = []
    for number in range(1, n_known + 1):
        lesion = known == number
        touches = np.zeros(n_guessed + 1, bool)
        touches[guessed[lesion]] = True
        touches[0] = False
        union = touches[guessed]
        common = np.count_nonzero(lesion & union)
        dice.append(2 * int(common) / int(np.count_nonzero(lesion) + np.count_nonzero(union)))
    return dice


def _predictions(data: Sample) -> tuple[Mask, Mask]:
    """A segmentation with ragged borders and missed lesions, and one that takes every bright voxel."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=data.lesions.shape), 1.5, mode="wrap")
    near: Mask = ndimage.gaussian_filter(data.lesions.astype(np.float32), 1) + 0.03 * noise / noise.std() > 0.5
    far: Mask = data.flair > np.percentile(data.flair[data.flair > 0], 97)
    return near, far
