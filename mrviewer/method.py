"""Methods: what turns a measurement into a result, and what it says of itself.

A method is any object that satisfies `Method`; how it is found stands in `mrviewer.methods.registry`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrviewer.cards.held_out import HeldOut
from mrviewer.cards.seen import Seen, unlike_grid, unlike_look
from mrviewer.errors import DoesNotFitError
from mrviewer.images.image_look import ImageLook
from mrviewer.images.voxel_size import size_doubt, size_text
from mrviewer.mask import Mask
from mrviewer.progress import Progress
from mrviewer.study import Origin, Study

__all__ = [
    "Card",
    "Fit",
    "Measurement",
    "Method",
    "Needs",
    "Result",
    "Task",
    "caution_of_look",
    "check_needs",
    "require_fit",
]

_LESION_NAMES = ("lesion", "tumour")


class Task(StrEnum):
    """What a method gives."""

    RECONSTRUCT = "reconstruct"
    SEGMENT = "segment"
    REGRESS = "regress"
    CLASSIFY = "classify"
    SAMPLE = "sample"


@dataclass(frozen=True)
class Needs:
    """What a study must have for a method.

    Parameters
    ----------
    kspace
        Whether the method works on (undersampled) k-space. Otherwise it works on images alone.
    modalities
        Modalities that it was made for; empty if any will do.
    max_coils
        Largest number of coils it takes; `None` for any number.
    whole_volume
        Whether it must see all slices at once. Required of a method that regresses or classifies, because that is an
        answer about the whole study.
    optional
        Further modalities, on the grid of the measured one, that it looks at where the study has them. They are fully
        sampled.
    required
        Further modalities that must all be there.
    voxel_size
        Whether it resamples by the voxel size, so that a wrong one in a file gives a wrong result.
    """

    kspace: bool = True
    modalities: tuple[str, ...] = ()
    max_coils: int | None = None
    whole_volume: bool = False
    optional: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    voxel_size: bool = False

    @property
    def companions(self) -> tuple[str, ...]:
        """Every modality that it looks at beside the measured one."""
        return tuple(dict.fromkeys((*self.required, *self.optional)))


@dataclass(frozen=True)
class Card:
    """What a method says of itself.

    Parameters
    ----------
    name, title
        Name on the command line, and in words.
    tasks, needs
        What it gives, and what it must be given.
    citation, licence
        Paper with DOI; licence of code and weights.
    weights
        Name of the shipped weights; `None` for a method with nothing to train.
    trained_on
        Data that the weights saw; `None` like `weights`.
    classes
        Names of the segmentation classes 1, 2, ...
    regresses
        Names of the regressed values.
    classifies
        Names of the classes that a study may belong to.
    figures
        Measured figures on data that the weights never saw, as one sentence each.
    limits
        What not to expect, as one sentence each.
    seen
        What training images had in common; `None` for a method with nothing to train.
    held_out
        Figures of these very weights, case by case, on what they never saw.
    trained_for
        Steps and minutes of training, as far as they are known.
    tuned
        What was chosen on which case, so that its figures are optimistic.
    parent
        Model or method that a model of the person's own was fine-tuned from; `None` for installed methods.
    is_adjoint
        Whether its image is the adjoint of the scan and nothing else, which a viewer can compute by itself while a mask
        is being changed (`mrviewer.reconstruction.live`).
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    needs: Needs
    citation: str
    licence: str = "BSD-3-Clause"
    weights: str | None = None
    trained_on: str | None = None
    classes: tuple[str, ...] = ()
    regresses: tuple[str, ...] = ()
    classifies: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    seen: Seen | None = None
    held_out: tuple[HeldOut, ...] = ()
    trained_for: str | None = None
    tuned: str | None = None
    parent: str | None = None
    is_adjoint: bool = False

    @property
    def is_chain(self) -> bool:
        """Whether it is made from two methods, see `mrviewer.methods.chain`."""
        return "+" in self.name

    @property
    def answers_for_study(self) -> bool:
        """Whether it says something of the study as a whole, and not of its slices alone."""
        return bool({Task.REGRESS, Task.CLASSIFY} & set(self.tasks) or self.regresses or self.classifies)

    @property
    def lesion_value(self) -> int | None:
        """Value of lesions among the segmentation classes; `None` where every class is one."""
        return next((value for value, name in enumerate(self.classes, 1) if name in _LESION_NAMES), None)


@dataclass(frozen=True)
class Fit:
    """Whether a method can be run on a study, why not, and what to mind before it is."""

    ok: bool
    reason: str = ""
    caution: str = ""

    def __bool__(self) -> bool:
        """Whether it fits."""
        return self.ok


@dataclass(frozen=True, eq=False)
class Measurement:
    """What a scanner would have given for a stack of slices.

    Parameters
    ----------
    kspace : complex64, (slice, coil, y, x)
        Zero where `mask` did not acquire; DC at the centre. Not measured, and all zero, for a method that works on
        images alone (`Needs.kspace`); so are the coil maps.
    mask
        The sampling mask.
    coil_maps : complex64, (slice, coil, y, x)
        Normalised sensitivities; ones for a single coil.
    modality
        Of the image that `kspace` makes.
    origin
        Where k-space comes from.
    images : float32, (slice, y, x) each
        Fully sampled magnitude images by modality: the measured one, and those that the method's needs name. Empty when
        none exist.
    voxel_size_mm : (slice, y, x)
        Spacing.
    slice_axis
        Where the slice axis lies in the study's grid ``(z, y, x)``: 0 for axial slices.
    """

    kspace: NDArray[np.complex64]
    mask: Mask
    coil_maps: NDArray[np.complex64]
    modality: str
    origin: Origin
    images: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    voxel_size_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    slice_axis: int = 0

    @property
    def grid_voxel_size_mm(self) -> tuple[float, float, float]:
        """Spacing along the axes ``(z, y, x)`` of the study's grid."""
        sizes = list(self.voxel_size_mm)
        sizes.insert(self.slice_axis, sizes.pop(0))
        z, y, x = sizes
        return z, y, x


@dataclass(frozen=True, eq=False)
class Result:
    """What a method gives for a stack of slices; what it does not give is `None`.

    Parameters
    ----------
    image : complex64, (slice, y, x)
        Coil-combined reconstruction in the units of the measurement.
    segmentation : uint8, (slice, y, x)
        Class per pixel, 0 is background.
    probabilities : float32, (class, slice, y, x)
        Of each class but the background.
    steps : complex64, (step, slice, y, x)
        Estimates on the way, to look inside.
    step_names
        What each of them is; numbered where nothing is said.
    regression, classes : float32, (value,) and (class,)
        Of a method that regresses or classifies, in the order of its card; `None` too where there was nothing to
        measure, such as no tumour.
    modalities_used
        Images that were looked at, if more than the measured one may have been.
    """

    image: NDArray[np.complex64] | None = None
    segmentation: NDArray[np.uint8] | None = None
    probabilities: NDArray[np.float32] | None = None
    steps: NDArray[np.complex64] | None = None
    step_names: tuple[str, ...] = ()
    regression: NDArray[np.float32] | None = None
    classes: NDArray[np.float32] | None = None
    modalities_used: tuple[str, ...] = ()


@runtime_checkable
class Method(Protocol):
    """Turns a measurement into a result."""

    @property
    def card(self) -> Card:
        """What it says of itself."""
        ...

    def fits(self, study: Study, modality: str) -> Fit:
        """Whether it can be run on this modality of this study; never reads pixels."""
        ...

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Yield after each step that takes noticeable time, return the result."""
        ...


def check_needs(card: Card, study: Study, modality: str) -> Fit:
    """Answer `Method.fits` from the card alone; what most methods need."""
    raw = study.raw.get(modality)
    if card.needs.modalities and modality not in card.needs.modalities:
        wanted = " or ".join(card.needs.modalities)
        return Fit(False, f"{card.name} was trained on {wanted} and this image is {_in_words(study, modality)}")
    if not card.needs.kspace and modality not in study.images:
        return Fit(False, f"{card.name} needs a fully sampled {modality} image and this study has none")
    lacking = _lacking(card.needs, study, modality)
    if lacking:
        return Fit(False, f"{card.name} needs {', '.join(card.needs.required)} on one grid and this study {lacking}")
    n_coils = raw.shape[1] if raw is not None else 1
    if card.needs.max_coils is not None and n_coils > card.needs.max_coils:
        return Fit(False, f"{card.name} takes {card.needs.max_coils} coil(s) at most and this scan has {n_coils}")
    return Fit(True, caution=_caution(card, study, modality))


def caution_of_look(card: Card, modality: str, look: ImageLook) -> str:
    """What to mind before a method is run on an image that looks unlike those that it was trained on; empty if nothing.

    What the grid alone tells stands in `Fit.caution`.
    """
    return _trained_on(card, () if card.seen is None else unlike_look(card.seen, modality, look))


def _caution(card: Card, study: Study, modality: str) -> str:
    """What to mind of a grid: a voxel size that can hardly be true, pixels and slices that training did not see."""
    geometry = study.geometry(modality)
    doubt = size_doubt(geometry) if card.needs.voxel_size else ""
    told = (
        f"{card.name} resamples by the voxel size, and {size_text(geometry.voxel_size_mm)} can hardly be true "
        f"({doubt}): give the true one under Study, or with --voxel-size X,Y,Z"
        if doubt
        else "",
        _trained_on(card, () if card.seen is None else unlike_grid(card.seen, geometry)),
    )
    return "; ".join(filter(None, told))


def _trained_on(card: Card, differences: tuple[str, ...]) -> str:
    return f"{card.name} was trained on {'; on '.join(differences)}" if differences else ""


def _in_words(study: Study, modality: str) -> str:
    """A modality, and how many volumes it has if it is a series."""
    n_frames = study.images[modality].n_frames if modality in study.images else 1
    return modality if n_frames == 1 else f"{modality}, a series of {n_frames} volumes"


def _lacking(needs: Needs, study: Study, modality: str) -> str:
    """What keeps a study from giving all that is required, in words; empty if nothing does."""
    for name in needs.required:
        if name not in study.images:
            return f"has no {name}"
        if modality in study.images and not study.images[name].geometry.matches(study.images[modality].geometry):
            return f"has its {name} on another grid"
    return ""


def require_fit(method: Method, study: Study, modality: str) -> Fit:
    """Return what to mind, or raise `DoesNotFitError` with the method's own reason if it does not fit.

    A method that answers for the whole study and is given parts of it fits no study: it would answer for the last part.
    """
    card = method.card
    if card.answers_for_study and not card.needs.whole_volume:
        raise DoesNotFitError(
            f"{card.name} regresses or classifies and does not declare needs.whole_volume, so its answer would be that "
            "of a few slices; this is a bug in the method, report it to its author"
        )
    fit = method.fits(study, modality)
    if not fit:
        raise DoesNotFitError(f"{fit.reason}; choose another method or another image")
    return fit
