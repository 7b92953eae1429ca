"""The contract of a method, as a check that anybody's test-suite can run.

from mrviewer.testing import check_method

def test_contract():
    check_method(METHOD)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.mask import Mask
from mrviewer.method import Fit, Measurement, Method, Result, Task
from mrviewer.physics import forward, normalise_maps
from mrviewer.progress import Progress, finish
from mrviewer.study import Image, Origin, RawData, Study

__all__ = [
    "check_card",
    "check_fits_reads_no_pixels",
    "check_method",
    "check_result",
    "check_run",
    "check_slices",
    "check_stopping",
    "sample_measurement",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(\+[a-z0-9][a-z0-9-]*)?")
_OUTPUT_OF_TASK = {
    Task.RECONSTRUCT: "image",
    Task.SEGMENT: "segmentation",
    Task.REGRESS: "regression",
    Task.CLASSIFY: "classes",
}
_MAY_FIND_NOTHING = (Task.REGRESS, Task.CLASSIFY)
"""Without a tumour there is no enhancement to tell."""
_ROUNDING = 0.005
"""Largest difference of a slice alone from the same slice in a batch, in parts of the largest value: what summing in
another order and in bfloat16 may come to. Of the pixels of a segmentation as many may change their class."""


def check_method(method: Method, device: str = "cpu") -> None:
    """Check everything that the rest of the program takes for granted about a method.

    The card is complete; `fits` reads no pixels; results are finite, of the promised shapes and types, the same for the
    same input, also for an empty scan and for one tiny slice; slices one at a time give what they give in a batch,
    unless the method must see the whole volume; the measurement is left as it was; the job can be closed before its end
    and started anew.

    Parameters
    ----------
    method
        The method, with its weights.
    device
        A torch device name, as for `Method.run`.

    Raises
    ------
    AssertionError
        If the method breaks the contract; the message says where.
    """
    check_card(method)
    check_fits_reads_no_pixels(method)
    check_run(method, sample_measurement(method), device)
    check_slices(method, device)
    check_stopping(method, device)
    check_run(method, sample_measurement(method, shape=(1, 12, 10)), device)
    check_run(method, _emptied(sample_measurement(method)), device)


def check_card(method: Method) -> None:
    """Check that the card of a method says all that a person must know."""
    card = method.card
    _require(isinstance(method, Method), f"{card.name} lacks a member of the Method protocol")
    _require(_NAME.fullmatch(card.name) is not None, f"{card.name!r} must be lower-case words joined by hyphens")
    _require(bool(card.title and card.tasks and card.licence), f"{card.name} must state title, tasks and licence")
    _require("doi:" in card.citation.lower() or "arxiv" in card.citation.lower(), f"{card.name} must cite with a DOI")
    _require((card.weights is None) == (card.trained_on is None), f"{card.name}: weights and trained_on go together")
    if Task.SEGMENT in card.tasks:
        _require(bool(card.classes), f"{card.name} segments, so it must name its classes")
    if Task.REGRESS in card.tasks:
        _require(bool(card.regresses), f"{card.name} regresses, so it must name its values")
    if Task.CLASSIFY in card.tasks:
        _require(bool(card.classifies), f"{card.name} classifies, so it must name its classes")
    _require(
        card.needs.whole_volume or not card.answers_for_study,
        f"{card.name} regresses or classifies, which is an answer about the study; declare needs.whole_volume",
    )


def check_fits_reads_no_pixels(method: Method) -> None:
    """Check that `fits` answers from what a study says of itself, and gives a reason when it says no."""
    for modality in ("FLAIR", "T1", "unknown"):
        for study in (_unread_study(modality, n_coils=None), _unread_study(modality, n_coils=64)):
            fit = method.fits(study, modality)
            _require(isinstance(fit, Fit), f"{method.card.name}.fits must return a Fit, not {type(fit).__name__}")
            _require(fit.ok or bool(fit.reason), f"{method.card.name}.fits says no to {modality} without a reason")


def check_run(method: Method, measurement: Measurement, device: str = "cpu") -> None:
    """Check that running a method twice gives the same good result twice and leaves the measurement alone."""
    before = _copies(measurement)
    steps: list[Progress] = []
    first = _run(method, measurement, device, steps)
    check_result(method, measurement, first)
    _require(bool(steps), f"{method.card.name} must yield at least once, so that it can be cancelled")
    _require(all(isinstance(step, Progress) for step in steps), f"{method.card.name} must yield Progress records")
    _require(
        all(0 <= step.done <= step.total for step in steps), f"{method.card.name} counts past the end of its steps"
    )
    for name, array in _copies(measurement).items():
        _require(np.array_equal(array, before[name]), f"{method.card.name} changed the {name} that it was given")
    second = finish(method.run(measurement, device))
    for name, array in _outputs(first).items():
        other = _outputs(second).get(name)
        same = other is not None and _same(array, other, exactly=device == "cpu")
        _require(same, f"{method.card.name} gave another {name} for the same input")


def check_result(method: Method, measurement: Measurement, result: Result) -> None:
    """Check that a result has what the card promises, with the shapes and types of `Result`."""
    card, outputs = method.card, _outputs(result)
    for task, name in _OUTPUT_OF_TASK.items():
        together = (task in card.tasks) == (name in outputs)
        nothing_found = task in _MAY_FIND_NOTHING and name not in outputs
        _require(together or nothing_found, f"{card.name}: task {task} and output {name} go together")
    n_slices, _, height, width = measurement.kspace.shape
    stack = (n_slices, height, width)
    expected: dict[str, tuple[type[np.generic], tuple[int, ...] | None]] = {
        "image": (np.complex64, stack),
        "segmentation": (np.uint8, stack),
        "probabilities": (np.float32, (len(card.classes), *stack)),
        "steps": (np.complex64, None if result.steps is None else (len(result.steps), *stack)),
        "regression": (np.float32, (len(card.regresses),)),
        "classes": (np.float32, (len(card.classifies),)),
    }
    n_steps = 0 if result.steps is None else len(result.steps)
    _require(len(result.step_names) in (0, n_steps), f"{card.name} names {len(result.step_names)} of {n_steps} steps")
    for name, array in outputs.items():
        dtype, shape = expected[name]
        _require(array.dtype == dtype, f"{card.name}: {name} is {array.dtype} but must be {np.dtype(dtype)}")
        _require(shape in (None, array.shape), f"{card.name}: {name} is {array.shape} but must be {shape}")
        _require(bool(np.isfinite(array).all()), f"{card.name}: {name} holds values that are not finite")
    if result.segmentation is not None:
        highest = int(result.segmentation.max())
        _require(highest <= len(card.classes), f"{card.name}: class {highest} has no name on the card")
    if result.probabilities is not None:
        inside = 0 <= result.probabilities.min() <= result.probabilities.max() <= 1
        _require(bool(inside), f"{card.name}: probabilities lie outside 0 to 1")


def check_slices(method: Method, device: str = "cpu") -> None:
    """Check that slices one at a time give what they give in a batch; how many go together is the program's choice.

    A method that declares `needs.whole_volume` is always given all of them, and is not checked.
    """
    if method.card.needs.whole_volume:
        return
    measurement = _fading(sample_measurement(method, shape=(3, 40, 36)))
    whole = _outputs(finish(method.run(measurement, device)))
    for index in range(len(measurement.kspace)):
        alone = _outputs(finish(method.run(_one_slice(measurement, index), device)))
        for name, array in whole.items():
            axis = 0 if name in ("image", "segmentation") else 1
            _require(
                name in alone and _nearly_same(array.take([index], axis), alone[name]),
                f"{method.card.name} gives another {name} for a slice alone than for the same slice in a batch; "
                "declare needs.whole_volume if it must see all of them",
            )


def check_stopping(method: Method, device: str = "cpu") -> None:
    """Check that a job closed after its first step leaves nothing behind that changes the next run."""
    measurement = sample_measurement(method)
    whole = _outputs(finish(method.run(measurement, device)))
    job = method.run(measurement, device)
    next(job)
    job.close()
    _require(next(job, None) is None, f"{method.card.name} goes on after it was closed")
    for name, array in _outputs(finish(method.run(measurement, device))).items():
        same = _same(array, whole[name], exactly=device == "cpu")
        _require(same, f"{method.card.name} gives another {name} after a run that was stopped")


def sample_measurement(method: Method, shape: tuple[int, int, int] = (2, 40, 36), seed: int = 0) -> Measurement:
    """Small measurement that a method can be run on: smooth ellipses, every other line acquired at random.

    Parameters
    ----------
    method
        Decides modality and number of coils.
    shape : (slice, y, x)
        Size of the stack.
    seed
        Of the object and of the mask.
    """
    needs = method.card.needs
    n_coils = 1 if needs.max_coils == 1 else 2
    n_slices, height, width = shape
    rng = np.random.default_rng(seed)
    rows, columns = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    centres = rng.uniform(-0.3, 0.3, (n_slices, 3, 2, 1, 1))
    ellipses = [[1 / (1 + np.exp(20 * (np.hypot(rows - y, columns - x) - 0.4))) for y, x in each] for each in centres]
    magnitude = (100 * np.sum(ellipses, axis=1)).astype(np.float32)
    weights = [np.exp(1j * coil - (columns - coil) ** 2 + 0 * rows) for coil in range(n_coils)]
    maps = normalise_maps(np.broadcast_to(np.asarray(weights, np.complex64), (n_slices, n_coils, height, width)))
    pattern = rng.random((1, width)) < 0.5
    pattern[0, width // 2 - 1 : width // 2 + 2] = True
    modality = needs.modalities[0] if needs.modalities else "FLAIR"
    return Measurement(
        kspace=forward(magnitude.astype(np.complex64), maps, pattern).astype(np.complex64),
        mask=Mask(pattern, "random", acceleration=2.0, seed=seed),
        coil_maps=maps,
        modality=modality,
        origin=Origin.PHANTOM,
        images={name: magnitude.copy() for name in dict.fromkeys((modality, *needs.modalities, *needs.companions))},
    )


@dataclass(frozen=True)
class _Unread:
    """Pixels that fail when they are looked at."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        raise AssertionError("`fits` read the pixels of an image; it must answer from shapes and names")


@dataclass(frozen=True)
class _UnreadRawData:
    """K-space that fails when it is looked at."""

    modality: str
    shape: tuple[int, int, int, int]
    origin: Origin = Origin.SCANNER
    slice_axis: int = 0
    acquired: NDArray[np.bool_] | None = None

    @property
    def geometry(self) -> Geometry:
        return Geometry.axial((self.shape[0], *self.shape[2:]), (5.0, 1.0, 1.0))

    def kspace(self, index: int) -> NDArray[np.complex64]:
        raise AssertionError("`fits` read k-space; it must answer from shapes and names")

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        raise AssertionError("`fits` read coil maps; it must answer from shapes and names")


def _unread_study(modality: str, n_coils: int | None) -> Study:
    shape = (3, 20, 16)
    geometry = Geometry.axial(shape, (5.0, 1.0, 1.0))
    images = {modality: Image(_Unread(shape), geometry, modality)} if n_coils is None else {}
    raw: Mapping[str, RawData] = {}
    if n_coils is not None:
        raw = {modality: _UnreadRawData(modality, (3, n_coils, 20, 16))}
    return Study("unread", images, raw=raw)


def _run(method: Method, measurement: Measurement, device: str, steps: list[Progress]) -> Result:
    job = method.run(measurement, device)
    while True:
        try:
            steps.append(next(job))
        except StopIteration as end:
            _require(isinstance(end.value, Result), f"{method.card.name}.run must return a Result")
            result: Result = end.value
            return result


def _fading(measurement: Measurement) -> Measurement:
    """The same with each slice darker than the one before, as towards the ends of a coil."""
    factors = np.geomspace(1, 0.1, len(measurement.kspace), dtype=np.float32)
    images = {name: image * factors[:, None, None] for name, image in measurement.images.items()}
    return replace(measurement, kspace=measurement.kspace * factors[:, None, None, None], images=images)


def _one_slice(measurement: Measurement, index: int) -> Measurement:
    part = slice(index, index + 1)
    images = {name: image[part] for name, image in measurement.images.items()}
    return replace(measurement, kspace=measurement.kspace[part], coil_maps=measurement.coil_maps[part], images=images)


def _emptied(measurement: Measurement) -> Measurement:
    images = {name: np.zeros_like(image) for name, image in measurement.images.items()}
    return replace(measurement, kspace=np.zeros_like(measurement.kspace), images=images)


def _copies(measurement: Measurement) -> dict[str, NDArray[np.generic]]:
    arrays = {"kspace": measurement.kspace, "coil_maps": measurement.coil_maps}
    images = {f"{name} image": image for name, image in measurement.images.items()}
    return {name: array.copy() for name, array in {**arrays, **images}.items()}


def _outputs(result: Result) -> dict[str, NDArray[np.generic]]:
    every = {
        "image": result.image,
        "segmentation": result.segmentation,
        "probabilities": result.probabilities,
        "steps": result.steps,
        "regression": result.regression,
        "classes": result.classes,
    }
    return {name: array for name, array in every.items() if array is not None}


def _same(first: NDArray[np.generic], second: NDArray[np.generic], *, exactly: bool) -> bool:
    """Compare two outputs; accelerators may sum in another order and differ in the last digits."""
    if exactly or first.dtype == np.uint8:
        return bool(np.array_equal(first, second))
    largest = float(np.abs(first).max(initial=0))
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=1e-3, atol=1e-3 * largest))


def _nearly_same(first: NDArray[np.generic], second: NDArray[np.generic]) -> bool:
    """Compare two outputs up to rounding; see `_ROUNDING`."""
    if first.shape != second.shape:
        return False
    if first.dtype == np.uint8:
        return bool(np.mean(first != second) <= _ROUNDING)
    return bool(np.allclose(first, second, rtol=0, atol=_ROUNDING * float(np.abs(first).max(initial=0))))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)
