"""What a training run can be told, as typed on a command line or shown in a form."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from mrviewer.options import (
    COUNT,
    NUMBER,
    RATE,
    SHARE,
    SIZE,
    Limits,
    OptionField,
    OptionTraits,
    option,
    option_fields,
    traits_of,
)

__all__ = [
    "HasOptions",
    "TrainingOptions",
    "describe_options",
    "names_where",
    "override",
    "saved_options",
    "without_folders",
]

Options = TypeVar("Options")


@dataclass(frozen=True)
class TrainingOptions:
    """Schedule, data and bookkeeping of a run. Saved beside the weights.

    Parameters
    ----------
    steps, batch_size
        Optimiser steps, and slices in each.
    steps_per_epoch
        How many steps count as one epoch for weights that change by epoch; 0 means once through all slices.
    learning_rate, weight_decay, betas
        Of Adam; `betas` are how much of the gradients before, and of their squares, it keeps.
    largest_norm
        Norm to which gradients are clipped; 0 leaves them.
    schedule
        ``one_cycle``: linear warm-up over a twentieth, then half a cosine to a hundredth. ``step``: times `decay`
        every `decay_epochs`. ``constant``. ``inverse_sqrt``: linear warm-up over a tenth, then falling with the root of
        the steps.
    decay, decay_epochs, decay_times
        Of the ``step`` schedule; `decay_times` is how often at most, 0 for always.
    seed
        Of everything random.
    precision
        ``bf16`` computes convolutions in bfloat16 where the processor has it; weights stay in single precision.
    threads
        Of torch on the CPU; 0 leaves its default.
    hold_out
        Names of subjects to keep out, separated by commas; they are evaluated at the end.
    start_from
        Weights to begin with, a safetensors file; empty for none.
    lesion_masks
        Folder of real lesion masks in MNI space, used on simulated patients and to add lesions to real ones.
    real_share
        Share of slices drawn from real subjects when there are both kinds.
    lesion_share
        Share of slices drawn among those with a lesion, for recipes that segment.
    accelerations
        Range of accelerations of the masks that count less.
    main_family, main_share, main_acceleration
        The masks that count most: their family, share and acceleration.
    center_fraction
        Centre of all masks.
    contrast_spread
        Standard deviation of the logarithm of the exponent that bends the grey scale of each slice.
    phase_share, noise_share, coil_share
        Share of batches with a smooth phase, with noise, and with four or eight coils.
    coarsen
        Pixels of a training slice that are merged along y and along x: 1 leaves its 1 mm, 2 makes 2 mm of it, for
        experiments that must be quick.
    crop_rows
        Rows of a random crop for masks of whole lines, along which nothing is undersampled, around a lesion where
        lesions are learned; 0 for none.
    crop
        Edge of a square crop, around a lesion where there is one, for recipes that see images alone, or that cut the
        zero-filled image; 0 for none.
    modality
        The image that slices are cut from, and that labels belong to; empty for all of a subject's, of which FLAIR, or
        the first where there is none, has the labels.
    slice_size
        Rows and columns of the slices; 0,0 takes those of simulated patients if there are any, else the largest of the
        database, rounded up to 16 and at most 384.
    """

    steps: int = option(4000, COUNT, common=True, of_run=True)
    batch_size: int = option(4, COUNT, common=True)
    steps_per_epoch: int = option(0, NUMBER, of_run=True)
    learning_rate: float = option(1e-3, RATE, common=True)
    weight_decay: float = option(1e-6, NUMBER)
    betas: tuple[float, float] = option((0.9, 0.999), Limits(0, 0.99999))
    largest_norm: float = option(1.0, NUMBER)
    schedule: Literal["one_cycle", "step", "constant", "inverse_sqrt"] = option("one_cycle", of_run=True)
    decay: float = option(0.2, RATE, of_run=True)
    decay_epochs: float = option(10.0, SIZE, of_run=True)
    decay_times: int = option(0, NUMBER, of_run=True)
    seed: int = option(1, NUMBER, of_run=True)
    precision: Literal["fp32", "bf16"] = "bf16"
    threads: int = option(0, NUMBER, of_run=True)
    hold_out: str = option("", of_run=True, is_asked=False)
    start_from: str = option("", is_path=True, of_run=True, starts_from=True, is_asked=False)
    lesion_masks: str = option("", is_path=True, of_run=True)
    real_share: float = option(0.6, SHARE)
    lesion_share: float = option(0.6, SHARE, common=True)
    accelerations: tuple[float, float] = option((2.0, 8.0), COUNT, is_range=True)
    main_family: str = "random"
    main_share: float = option(0.5, SHARE)
    main_acceleration: float = option(4.0, COUNT)
    center_fraction: float = option(0.08, SHARE)
    contrast_spread: float = option(0.12, NUMBER)
    phase_share: float = option(0.5, SHARE)
    noise_share: float = option(0.4, SHARE)
    coil_share: float = option(0.2, SHARE)
    coarsen: int = option(1, COUNT)
    crop_rows: int = option(0, NUMBER)
    crop: int = option(0, NUMBER, common=True)
    modality: str = option("", of_run=True)
    slice_size: tuple[int, int] = option((0, 0), NUMBER, of_run=True)

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names in `hold_out`."""
        return tuple(name.strip() for name in self.hold_out.split(",") if name.strip())


class HasOptions(Protocol):
    """What is looked at of a `mrviewer.training.recipe.Recipe`."""

    @property
    def training(self) -> TrainingOptions:
        """What every run can be told."""
        ...

    @property
    def options(self) -> Any:  # noqa: ANN401 - every recipe has a dataclass of its own
        """The recipe's own options."""
        ...


@runtime_checkable
class _HasStructure(Protocol):
    @property
    def structure(self) -> tuple[str, ...]: ...


def names_where(records: Iterable[Any], is_so: Callable[[OptionTraits], bool]) -> set[str]:
    """Names of the options whose traits are of a kind."""
    return {item.name for record in records for item in fields(record) if is_so(traits_of(item))}


def saved_options(recipe: HasOptions) -> dict[str, object]:
    """All options of a recipe as they are saved beside weights: without folders, and of what JSON knows."""
    values = {**asdict(recipe.training), **asdict(recipe.options)}
    return without_folders({name: _plain(value) for name, value in values.items()}, recipe)


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return _plain(value.value)
    return _shortened(value) if isinstance(value, PurePath) else value


def _shortened(path: str | PurePath) -> str:
    return "/".join(Path(path).parts[-2:])


def without_folders(values: Mapping[str, object], recipe: HasOptions) -> dict[str, object]:
    """Options of a recipe with each path shortened to its last two names: absolute paths are not stored in weights."""
    paths = names_where(_records(recipe), lambda traits: traits.is_path)
    return {
        name: _shortened(value) if name in paths and isinstance(value, str) else value for name, value in values.items()
    }


def override(options: Options, values: Mapping[str, str]) -> tuple[Options, dict[str, str]]:
    """Replace fields of an options dataclass by values typed on a command line.

    Returns
    -------
    options
        The changed record.
    rest
        Values whose names it does not have.

    Raises
    ------
    InputError
        If a value cannot be read as what its field holds, or nothing can be trained with it.
    """
    items = {item.name: item for item in option_fields(options)}
    known = {name: items[name].read(text) for name, text in values.items() if name in items}
    changed: Options = replace(options, **known)  # type: ignore[type-var]
    return changed, {name: text for name, text in values.items() if name not in items}


def describe_options(recipe: HasOptions) -> tuple[OptionField, ...]:
    """All that a recipe can be told, the common ones first.

    Options that the weights decide are left out where the recipe starts from some.
    """
    records = _records(recipe)
    hidden = names_where(records, lambda traits: not traits.is_asked)
    starts = names_where(records, lambda traits: traits.starts_from)
    if any(asdict(record)[name] for record in records for name in starts & set(asdict(record))):
        hidden |= set(recipe.structure if isinstance(recipe, _HasStructure) else ())
    found = [shown for record in records for shown in option_fields(record, hidden)]
    return tuple(sorted(found, key=lambda shown: not shown.traits.common))


def _records(recipe: HasOptions) -> tuple[Any, Any]:
    return recipe.training, recipe.options
