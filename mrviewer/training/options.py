"""What every training run can be told, whatever it trains."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from mrviewer.errors import InputError

__all__ = ["TrainingOptions", "override"]

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
    learning_rate, weight_decay
        Of Adam.
    schedule
        ``one_cycle``: linear warm-up over a twentieth, then half a cosine to a hundredth. ``step``: times `decay`
        every `decay_epochs`. ``constant``.
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
    """

    steps: int = 4000
    batch_size: int = 4
    steps_per_epoch: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    schedule: Literal["one_cycle", "step", "constant"] = "one_cycle"
    decay: float = 0.2
    decay_epochs: float = 10.0
    decay_times: int = 0
    seed: int = 1
    precision: Literal["fp32", "bf16"] = "bf16"
    threads: int = 0
    hold_out: str = ""
    start_from: str = ""
    lesion_masks: str = ""
    real_share: float = 0.6
    lesion_share: float = 0.6
    accelerations: tuple[float, float] = (2.0, 8.0)
    main_family: str = "random"
    main_share: float = 0.5
    main_acceleration: float = 4.0
    center_fraction: float = 0.08
    contrast_spread: float = 0.12
    phase_share: float = 0.5
    noise_share: float = 0.4
    coil_share: float = 0.2
    coarsen: int = 1
    crop_rows: int = 0
    crop: int = 0

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names in `hold_out`."""
        return tuple(name.strip() for name in self.hold_out.split(",") if name.strip())


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
        If a value cannot be read as what its field holds.
    """
    hints = get_type_hints(type(options))
    # A record inside the record is derived from the other fields, and nothing to type.
    names = {item.name for item in fields(options) if not is_dataclass(hints[item.name])}  # type: ignore[arg-type]
    known = {name: _parse(name, text, hints[name]) for name, text in values.items() if name in names}
    changed: Options = replace(options, **known)  # type: ignore[type-var]
    return changed, {name: text for name, text in values.items() if name not in names}


def _parse(name: str, text: str, hint: Any) -> object:  # noqa: ANN401 - a type annotation has no better type
    if get_origin(hint) is Literal:
        if text in get_args(hint):
            return text
        raise InputError(f"option {name} is {text!r}; choose one of {', '.join(map(str, get_args(hint)))}")
    try:
        if hint is bool:
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        if get_origin(hint) is tuple:
            numbers = tuple(float(part) for part in text.split(","))
            if len(numbers) != len(get_args(hint)):
                raise ValueError(text)
            return numbers
        value: object = hint(text)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"option {name} is {text!r}, which cannot be read as {getattr(hint, '__name__', hint)}"
        ) from None
    return value
