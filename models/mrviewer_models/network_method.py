"""A method that is a trained network: card, weights and device. Light to import; torch comes with the first run."""

import tomllib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from mrviewer.cards.held_out import CARD_FIGURES, HeldOut
from mrviewer.cards.seen import Seen
from mrviewer.device import place_network
from mrviewer.errors import WeightsError
from mrviewer.method import Card, Fit, Measurement, Method, Needs, Result, Task, check_needs
from mrviewer.progress import Progress
from mrviewer.study import Study

if TYPE_CHECKING:
    from torch import nn

    from mrviewer.training.recipe import Recipe

__all__ = ["NetworkMethod", "held_out", "read_card"]

_SLICES_AT_ONCE = {"cpu": 4, "cuda": 16, "mps": 8}
_NETWORKS_IN_MEMORY = 24
_networks: "dict[tuple[str, Path, str], tuple[int, nn.Module]]" = {}
"""Networks by package, weights and device, the longest unused first, with the time of their file."""


def read_card(folder: Path) -> Card:
    """Card of a method from the ``card.toml`` in its folder."""
    with (folder / "card.toml").open("rb") as file:
        text = tomllib.load(file)
    needs = text.pop("needs", {})
    return Card(
        name=text["name"],
        title=text["title"],
        tasks=tuple(Task(task) for task in text["tasks"]),
        needs=Needs(
            kspace=needs.get("kspace", True),
            modalities=tuple(needs.get("modalities", ())),
            max_coils=needs.get("max_coils"),
            whole_volume=needs.get("whole_volume", False),
            optional=tuple(needs.get("optional", ())),
            required=tuple(needs.get("required", ())),
            voxel_size=needs.get("voxel_size", False),
        ),
        citation=text["citation"],
        licence=text["licence"],
        weights=text["weights"],
        trained_on=text["trained_on"],
        classes=tuple(text.get("classes", ())),
        regresses=tuple(text.get("regresses", ())),
        classifies=tuple(text.get("classifies", ())),
        figures=tuple(text.get("figures", ())),
        limits=tuple(text.get("limits", ())),
        seen=_seen(text["seen"]) if "seen" in text else None,
        held_out=tuple(held_out(row) for row in text.get("held_out", ())),
        trained_for=text.get("trained_for"),
        tuned=text.get("tuned"),
    )


def _seen(given: Mapping[str, Any]) -> Seen:
    """What the weights saw; two numbers are a range."""
    low_high = {name: (float(pair[0]), float(pair[1])) for name, pair in given.items() if name != "whole_heads"}
    return Seen(bool(given["whole_heads"]), **low_high)


def held_out(row: Mapping[str, Any]) -> HeldOut:
    """Figures of one case, as ``models/measure.py`` writes them into a card."""
    figures = {key: row[key] for key in CARD_FIGURES if key in row}
    return HeldOut(row["subject"], row["condition"], figures, row["weights"])


@dataclass(frozen=True)
class NetworkMethod:
    """A trained network as a `mrviewer.method.Method`.

    The package behind `package` must have a module ``inference`` with ``load(path) -> nn.Module`` and one of two:
    ``infer(network, measurement, device) -> Result`` is given a few slices at a time, none of them empty;
    ``infer_volume(network, measurement, device) -> Generator[Progress, None, Result]``, for a method that must see the
    whole volume, is given all of them. A module ``recipe`` has ``recipe(overrides) -> Recipe``. They are imported at
    the first run, not when methods are listed.

    Parameters
    ----------
    package
        Name of the method's package.
    folder
        Its folder, with ``card.toml`` and the weights.
    weights_path
        Weights in place of the shipped ones.
    own_card
        What it says of itself in place of ``card.toml``.
    """

    package: str
    folder: Path
    weights_path: Path | None = None
    own_card: Card | None = None

    @cached_property
    def card(self) -> Card:
        """What the method says of itself."""
        return self.own_card or read_card(self.folder)

    @property
    def weights_file(self) -> Path:
        """The weights that it runs with, whether they are there or not."""
        return self.weights_path or self.folder / str(self.card.weights)

    def fits(self, study: Study, modality: str) -> Fit:
        """Answer from the card."""
        return check_needs(self.card, study, modality)

    def with_weights(self, path: Path) -> Method:
        """The same method with weights from a file."""
        return replace(self, weights_path=path)

    def with_card(self, card: Card) -> Self:
        """The same method that says something else of itself."""
        return replace(self, own_card=card)

    def check_weights(self, path: Path) -> None:
        """Build the network that a file describes, and fill it.

        Raises
        ------
        WeightsError
            If the file is damaged, or its weights are of another architecture.
        """
        try:
            import_module(f"{self.package}.inference").load(path)
        except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
            if isinstance(error, WeightsError):
                raise
            raise WeightsError(
                f"{path.name} describes no network of {self.card.name}; give weights that were trained for it"
            ) from error

    def release(self) -> None:
        """Let go of the network that these weights made, so that its memory is free."""
        for key in [key for key in _networks if key[:2] == (self.package, self.weights_file)]:
            _networks.pop(key, None)

    def recipe(self, overrides: Mapping[str, str]) -> "Recipe":
        """How it trains."""
        made: Recipe = import_module(f"{self.package}.recipe").recipe(overrides)
        return made

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        """Run the network on the slices that are not empty; empty ones give an empty result."""
        module = import_module(f"{self.package}.inference")
        network = _load(self.package, self.weights_file, device)
        n_slices = len(measurement.kspace)
        yield Progress(0, n_slices, f"{self.card.name} is loaded")
        if hasattr(module, "infer_volume"):
            whole: Result = yield from module.infer_volume(network, measurement, device)
            return whole
        filled = _filled_slices(measurement, self.card.needs.kspace)
        if not filled.any():
            return _empty_result(self.card, measurement)
        numbers = np.flatnonzero(filled)
        at_once = _SLICES_AT_ONCE[device.partition(":")[0]]
        parts: list[Result] = []
        for first in range(0, len(numbers), at_once):
            chosen = numbers[first : first + at_once]
            parts.append(module.infer(network, _pick(measurement, chosen), device))
            if first + at_once < len(numbers):
                yield Progress(int(chosen[-1]) + 1, n_slices, f"slice {chosen[-1] + 1} of {n_slices}")
        result = _joined(parts)
        return result if filled.all() else _scatter(result, filled)


def _load(package: str, path: Path, device: str) -> "nn.Module":
    """Network in memory; a new file of the same name replaces the old one, and long unused ones make room."""
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    key = (package, path, device)
    kept = _networks.pop(key, None)
    if kept is None or kept[0] != changed:
        network: nn.Module = import_module(f"{package}.inference").load(path)
        kept = (changed, place_network(network, device).eval())
    _networks[key] = kept
    while len(_networks) > _NETWORKS_IN_MEMORY:
        _networks.pop(next(iter(_networks)), None)
    return kept[1]


def _filled_slices(measurement: Measurement, needs_kspace: bool) -> NDArray[np.bool_]:
    if needs_kspace:
        return np.asarray(np.any(measurement.kspace != 0, axis=(1, 2, 3)))
    return np.asarray(np.any(measurement.images[measurement.modality] != 0, axis=(1, 2)))


def _pick(measurement: Measurement, chosen: NDArray[np.intp]) -> Measurement:
    if len(chosen) == len(measurement.kspace):
        return measurement
    return replace(
        measurement,
        kspace=measurement.kspace[chosen],
        coil_maps=measurement.coil_maps[chosen],
        images={name: stack[chosen] for name, stack in measurement.images.items()},
    )


def _joined(parts: list[Result]) -> Result:
    """Put the results of consecutive slices together, without their steps, which would fill the memory."""
    if len(parts) == 1:
        return parts[0]

    def join(arrays: list[NDArray[np.generic] | None], axis: int) -> NDArray[np.generic] | None:
        there = [array for array in arrays if array is not None]
        return np.concatenate(there, axis) if there else None

    return replace(
        parts[0],
        image=join([part.image for part in parts], 0),  # type: ignore[arg-type]
        segmentation=join([part.segmentation for part in parts], 0),  # type: ignore[arg-type]
        probabilities=join([part.probabilities for part in parts], 1),  # type: ignore[arg-type]
        steps=None,
        step_names=(),
    )


def _scatter(result: Result, filled: NDArray[np.bool_]) -> Result:
    """Put the results of the filled slices among empty ones."""

    def spread(values: NDArray[np.generic] | None, axis: int) -> NDArray[np.generic] | None:
        if values is None:
            return None
        shape = list(values.shape)
        shape[axis] = len(filled)
        stack = np.zeros(shape, values.dtype)
        np.moveaxis(stack, axis, 0)[filled] = np.moveaxis(values, axis, 0)
        return stack

    return replace(
        result,
        image=spread(result.image, 0),  # type: ignore[arg-type]
        segmentation=spread(result.segmentation, 0),  # type: ignore[arg-type]
        probabilities=spread(result.probabilities, 1),  # type: ignore[arg-type]
        steps=spread(result.steps, 1),  # type: ignore[arg-type]
    )


def _empty_result(card: Card, measurement: Measurement) -> Result:
    stack = (len(measurement.kspace), *measurement.kspace.shape[-2:])
    segments, reconstructs = Task.SEGMENT in card.tasks, Task.RECONSTRUCT in card.tasks
    return Result(
        image=np.zeros(stack, np.complex64) if reconstructs else None,
        segmentation=np.zeros(stack, np.uint8) if segments else None,
        probabilities=np.zeros((max(len(card.classes), 1), *stack), np.float32) if segments else None,
    )
