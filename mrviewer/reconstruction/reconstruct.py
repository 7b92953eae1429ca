"""Run a method over a study: slice by slice, on a device, as a generator that can be cancelled."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mrviewer.device import resolve_device
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import ENHANCED_PHASES, measured_enhancement
from mrviewer.mask import Mask
from mrviewer.method import Card, Method, Result, require_fit
from mrviewer.progress import Progress, retold
from mrviewer.reconstruction.acquisition import measure, raw_data, reference_slice, within_acquired
from mrviewer.reconstruction.memory_need import memory_need
from mrviewer.sampling.full import FULL
from mrviewer.sampling.registry import make_mask
from mrviewer.sliced import SlicedVolume
from mrviewer.study import Origin, RawData, Study
from mrviewer.system.memory import require_memory

Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["Reconstruction", "SliceResult", "lesions_of", "reconstruct", "reconstruct_slice"]

_SLICES_AT_ONCE = {"cpu": 1, "cuda": 16, "mps": 8}


@dataclass(frozen=True, eq=False)
class SliceResult:
    """What a method gave for one slice.

    Parameters
    ----------
    index
        Along the slice axis.
    image : float32, (y, x)
        Magnitude; `None` if the method does not reconstruct.
    segmentation : uint8, (y, x)
        Class per pixel; `None` if the method does not segment.
    probabilities : float32, (class, y, x)
        `None` if the method does not segment.
    steps : float32, (step, y, x)
        Magnitudes on the way to `image`; kept by `reconstruct_slice` alone, a volume of them would be too much.
    step_names
        What each step is, as many as `steps`.
    """

    index: int
    image: NDArray[np.float32] | None
    segmentation: NDArray[np.uint8] | None
    probabilities: NDArray[np.float32] | None
    steps: NDArray[np.float32] | None = None
    step_names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What a method gave for a whole study, on the grid of the study.

    Parameters
    ----------
    method, modality, device
        What ran, on which image, where.
    mask
        The sampling mask that the images were made from: full sampling if the method looked at full images.
    origin
        Where k-space came from.
    seconds
        Wall-clock time of the method alone; reading and simulating k-space are not counted.
    image, reference : float32, (z, y, x)
        Magnitudes; `None` where the method does not reconstruct, or no fully sampled scan exists. The reference may be
        computed slice by slice, see `reconstruct`.
    segmentation : uint8, (z, y, x)
        Class per voxel; `None` if the method does not segment.
    probabilities : float32, (class, z, y, x)
        `None` if the method does not segment.
    geometry
        Grid of all these volumes.
    slice_axis
        Axis along which the slices were cut.
    regression, classes : float32, (value,) and (class,)
        Of a method that regresses or classifies; `None` for others, and where there was nothing to measure.
    regression_names, classification_names
        What each of them is; empty for a method that does not regress or classify.
    measured : float32, (value,)
        For a method that regresses enhancement: what is measured in the region that it found, see
        `mrviewer.images.dynamic.measured_enhancement`.
    class_names
        Names of the segmentation classes 1, 2, ...
    lesion_value
        Which of them are lesions; `None` where all are.
    modalities_used
        Images that the method looked at in any slice.
    missing
        Slices that the files lack, see `mrviewer.study.Image`.
    is_sampled
        Whether the method worked on k-space, so that a mask was applied.
    """

    method: str
    modality: str
    device: str
    mask: Mask
    origin: Origin
    seconds: float
    image: NDArray[np.float32] | None
    reference: NDArray[np.float32] | SlicedVolume | None
    segmentation: NDArray[np.uint8] | None
    probabilities: NDArray[np.float32] | None
    geometry: Geometry
    slice_axis: int
    regression: NDArray[np.float32] | None = None
    classes: NDArray[np.float32] | None = None
    regression_names: tuple[str, ...] = ()
    classification_names: tuple[str, ...] = ()
    measured: NDArray[np.float32] | None = None
    class_names: tuple[str, ...] = ()
    lesion_value: int | None = None
    modalities_used: tuple[str, ...] = ()
    missing: tuple[int, ...] = ()
    is_sampled: bool = True

    @property
    def lesions(self) -> NDArray[np.uint8] | None:
        """The segmentation ``(z, y, x)`` without classes that are no lesions; `None` if the method does not segment."""
        return None if self.segmentation is None else lesions_of(self.segmentation, self.lesion_value)


def lesions_of(segmentation: NDArray[np.uint8], lesion_value: int | None) -> NDArray[np.uint8]:
    """Keep of a segmentation what is a lesion, as 1; see `Card.lesion_value`."""
    if lesion_value is None:
        return segmentation
    lesions: NDArray[np.uint8] = (segmentation == lesion_value).astype(np.uint8)
    return lesions


def reconstruct(
    study: Study,
    method: Method,
    mask: Mask,
    *,
    modality: str | None = None,
    device: str = "auto",
    start: int = 0,
    keep_reference: bool = True,
) -> Generator[Progress, None, Reconstruction]:
    """Run a method over all slices of one modality.

    Yields a `Progress` for each step; its detail is a `SliceResult` whenever a slice is finished, so that a viewer can
    show it at once.

    Parameters
    ----------
    study, method, mask
        What to run on what.
    modality
        Which image; see `Study.choose_modality`.
    device
        See `mrviewer.device.resolve_device`.
    start
        Slice to begin with; the others follow by distance from it, so that what is looked at comes first.
    keep_reference
        Whether the fully sampled volume is held in memory; otherwise, and for a method that does not reconstruct, its
        slices are computed when they are needed.

    Raises
    ------
    DoesNotFitError
        If the method cannot be run on this study, with its reason.
    InputError
        If the memory that is free will not do.
    """
    chosen = study.choose_modality(modality)
    require_fit(method, study, chosen)
    device = resolve_device(device)
    raw = raw_data(study, chosen)
    mask = within_acquired(mask, raw)
    n_slices = raw.shape[0]
    whole_volume = method.card.needs.whole_volume
    at_once = n_slices if whole_volume else _SLICES_AT_ONCE[device.partition(":")[0]]
    need = memory_need(
        study, method, raw, at_once, keep_reference=keep_reference, on_cpu=device.partition(":")[0] == "cpu"
    )
    size = " x ".join(map(str, raw.shape[2:]))
    require_memory(
        need,
        f"{method.card.name} on {n_slices} slices of {size} with {raw.shape[1]} coil(s)",
        "give a smaller study, or fewer coils or modalities",
    )
    order = list(range(n_slices)) if whole_volume else sorted(range(n_slices), key=lambda index: abs(index - start))
    volumes = _Volumes(raw)
    seconds, done = 0.0, 0
    result, used = Result(), list[str]()
    for first in range(0, n_slices, at_once):
        indices = order[first : first + at_once]
        measurement = measure(study, raw, mask, indices, method.card.needs)
        started = time.perf_counter()
        result = yield from retold(
            method.run(measurement, device), partial(_within_slices, done=done, of=len(indices), n_slices=n_slices)
        )
        seconds += time.perf_counter() - started
        done += len(indices)
        used += result.modalities_used
        for slice_result in _split(result, indices):
            volumes.put(slice_result)
            yield Progress(done, n_slices, f"slice {slice_result.index + 1} of {n_slices}", slice_result)
    axis = raw.slice_axis
    return Reconstruction(
        method=method.card.name,
        modality=chosen,
        device=device,
        mask=mask if method.card.needs.kspace else make_mask(FULL.name, raw.shape[2:], 1.0),
        origin=raw.origin,
        seconds=seconds,
        image=volumes.image,
        reference=_reference(raw, in_memory=keep_reference and volumes.image is not None),
        segmentation=volumes.segmentation,
        probabilities=volumes.probabilities,
        geometry=study.geometry(chosen),
        slice_axis=axis,
        regression=result.regression,
        classes=result.classes,
        regression_names=method.card.regresses,
        classification_names=method.card.classifies,
        measured=_measured(study, method.card, volumes.segmentation),
        class_names=method.card.classes,
        lesion_value=method.card.lesion_value,
        modalities_used=tuple(dict.fromkeys(used)) or (chosen,),
        missing=study.images[chosen].missing if chosen in study.images else (),
        is_sampled=method.card.needs.kspace,
    )


def _measured(study: Study, card: Card, segmentation: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
    if card.regresses != ENHANCED_PHASES or segmentation is None:
        return None
    return measured_enhancement(study, lesions_of(segmentation, card.lesion_value))


def _within_slices(step: Progress, *, done: int, of: int, n_slices: int) -> Progress:
    """Count the steps of a method by slices: those before it, and its part of those it was given but for the last."""
    part = of * step.done // step.total if step.total > 0 else 0
    return Progress(done + min(part, of - 1), n_slices, step.message)


def reconstruct_slice(
    study: Study, raw: RawData, method: Method, mask: Mask, index: int, device: str = "cpu"
) -> Generator[Progress, None, SliceResult]:
    """Run a method on one slice, as `reconstruct` would, and keep the steps on the way."""
    measurement = measure(study, raw, mask, [index], method.card.needs)
    result = yield from method.run(measurement, device)
    [answer] = _split(result, [index])
    if result.steps is None:
        return answer
    names = result.step_names or tuple(f"step {number}" for number in range(1, len(result.steps) + 1))
    return replace(answer, steps=np.abs(result.steps[:, 0]), step_names=names)


def _split(result: Result, indices: Sequence[int]) -> list[SliceResult]:
    magnitude = None if result.image is None else np.abs(result.image).astype(np.float32, copy=False)
    return [
        SliceResult(
            index=index,
            image=None if magnitude is None else magnitude[place],
            segmentation=None if result.segmentation is None else result.segmentation[place],
            probabilities=None if result.probabilities is None else result.probabilities[:, place],
        )
        for place, index in enumerate(indices)
    ]


class _Volumes:
    """Volumes that fill up slice by slice, allocated when the first slice comes."""

    def __init__(self, raw: RawData) -> None:
        n_slices, _, height, width = raw.shape
        self._stack_shape = (n_slices, height, width)
        self._axis = raw.slice_axis
        self.image: NDArray[np.float32] | None = None
        self.segmentation: NDArray[np.uint8] | None = None
        self.probabilities: NDArray[np.float32] | None = None

    def put(self, result: SliceResult) -> None:
        if result.image is not None:
            if self.image is None:
                self.image = self._empty(np.float32)
            self._slices(self.image)[result.index] = result.image
        if result.segmentation is not None:
            if self.segmentation is None:
                self.segmentation = self._empty(np.uint8)
            self._slices(self.segmentation)[result.index] = result.segmentation
        if result.probabilities is not None:
            if self.probabilities is None:
                self.probabilities = np.stack([self._empty(np.float32) for _ in result.probabilities])
            for volume, plane in zip(self.probabilities, result.probabilities, strict=True):
                self._slices(volume)[result.index] = plane

    def _empty(self, dtype: type[Scalar]) -> NDArray[Scalar]:
        shape = list(self._stack_shape)
        n_slices = shape.pop(0)
        shape.insert(self._axis, n_slices)
        return np.zeros(shape, dtype)

    def _slices(self, volume: NDArray[Scalar]) -> NDArray[Scalar]:
        return np.moveaxis(volume, self._axis, 0)


def _reference(raw: RawData, *, in_memory: bool) -> NDArray[np.float32] | SlicedVolume | None:
    if raw.acquired is not None:
        return None
    sizes = list(raw.shape[2:])
    sizes.insert(raw.slice_axis, raw.shape[0])
    z, y, x = sizes
    sliced = SlicedVolume((z, y, x), raw.slice_axis, partial(_fully_sampled, raw))
    return np.asarray(sliced, np.float32) if in_memory else sliced


def _fully_sampled(raw: RawData, index: int) -> NDArray[np.float32]:
    plane = reference_slice(raw, index)
    assert plane is not None
    return plane
