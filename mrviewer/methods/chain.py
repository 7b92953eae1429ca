"""``A+B``: reconstruct with one method, segment its images with another."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.method import Card, Fit, Measurement, Method, Needs, Result, Task
from mrviewer.progress import Progress, retold
from mrviewer.study import Image, Study

__all__ = ["Chain"]


@dataclass(frozen=True)
class Chain:
    """A method made from two.

    Parameters
    ----------
    reconstructor
        Reconstructs; its magnitude becomes the image that `segmenter` sees.
    segmenter
        Works on images alone.

    Raises
    ------
    InputError
        If the first does not reconstruct, or the second wants k-space.
    """

    reconstructor: Method
    segmenter: Method

    def __post_init__(self) -> None:
        """Refuse methods that do not follow each other."""
        first, second = self.reconstructor.card, self.segmenter.card
        if Task.RECONSTRUCT not in first.tasks:
            raise InputError(
                f"{first.name}+{second.name} must begin with a method that reconstructs and {first.name} does not; "
                "try cs-wavelet"
            )
        if second.needs.kspace:
            raise InputError(
                f"{first.name}+{second.name} must end with a method that works on images and {second.name} wants "
                "k-space; use it alone"
            )

    @property
    def card(self) -> Card:
        """What both say of themselves."""
        first, second = self.reconstructor.card, self.segmenter.card
        return Card(
            name=f"{first.name}+{second.name}",
            title=f"{first.title} + {second.title}",
            tasks=tuple(dict.fromkeys((*first.tasks, *second.tasks))),
            needs=_needs_of_both(first.needs, second.needs),
            citation=f"{first.citation}; {second.citation}",
            licence=_in_words(first.licence, second.licence) or "",
            weights=_in_words(first.weights, second.weights),
            trained_on=_in_words(first.trained_on, second.trained_on),
            classes=second.classes,
            regresses=second.regresses,
            classifies=second.classifies,
            limits=(*first.limits, *second.limits),
            seen=second.seen or first.seen,
        )

    def fits(self, study: Study, modality: str) -> Fit:
        """Fits what suits both; the segmenter is asked about the image that the reconstructor will make."""
        fits = (
            self.reconstructor.fits(study, modality),
            self.segmenter.fits(_study_with_image(study, modality), modality),
        )
        caution = "; ".join(fit.caution for fit in fits if fit.caution)
        return Fit(all(fits), "; ".join(fit.reason for fit in fits if not fit), caution)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Reconstruct, then segment the magnitude; the image and its steps are those of the reconstructor."""
        reconstructed = yield from retold(self.reconstructor.run(measurement, device), _first_half)
        if reconstructed.image is None:
            raise ShapeError(f"{self.reconstructor.card.name} promised an image and gave none; its author must mend it")
        magnitude = np.abs(reconstructed.image).astype(np.float32, copy=False)
        seen = replace(measurement, images={**measurement.images, measurement.modality: magnitude})
        segmented = yield from retold(self.segmenter.run(seen, device), _second_half)
        return replace(
            segmented, image=reconstructed.image, steps=reconstructed.steps, step_names=reconstructed.step_names
        )


@dataclass(frozen=True)
class _ImageToCome:
    """Stands for an image that the reconstructor has yet to make."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        del dtype, copy
        raise InputError("this image is still to be reconstructed; ask `fits` about the study, never about pixels")


def _study_with_image(study: Study, modality: str) -> Study:
    """Return the study as the segmenter will meet it: with a coil-combined image of the modality, without raw data."""
    geometry = study.geometry(modality)
    image = Image(_ImageToCome(geometry.shape), geometry, modality)
    raw = {name: data for name, data in study.raw.items() if name != modality}
    return replace(study, images={**study.images, modality: image}, raw=raw)


def _first_half(step: Progress) -> Progress:
    return replace(step, total=2 * step.total)


def _second_half(step: Progress) -> Progress:
    return replace(step, done=step.total + step.done, total=2 * step.total)


def _needs_of_both(first: Needs, second: Needs) -> Needs:
    if first.modalities and second.modalities:
        # A common modality there may not be; `fits` then gives the reason for any study.
        common = tuple(name for name in first.modalities if name in second.modalities)
        modalities = common or first.modalities
    else:
        modalities = first.modalities or second.modalities
    return Needs(
        kspace=first.kspace,
        modalities=modalities,
        max_coils=first.max_coils,
        whole_volume=first.whole_volume or second.whole_volume,
        optional=tuple(dict.fromkeys((*first.optional, *second.optional))),
        required=tuple(dict.fromkeys((*first.required, *second.required))),
        voxel_size=first.voxel_size or second.voxel_size,
    )


def _in_words(first: str | None, second: str | None) -> str | None:
    parts = dict.fromkeys(part for part in (first, second) if part)
    return "; ".join(parts) or None
