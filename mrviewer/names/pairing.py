"""Which images and labels of one visit belong together: labels, and the run and the space that they were drawn in."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mrviewer.names.bids_names import BidsName, bids_name
from mrviewer.names.image_names import file_stem

__all__ = ["LeftOut", "Pairing", "drawn_on", "pair_files"]

_Each = TypeVar("_Each")
_NATIVE = ("", "orig", "native", "individual", "scanner")
_MAGNITUDE = ("", "mag")
_ONLY_RUN = ("", "0001")
"""What labels may call the run of an image whose name tells none."""


@dataclass(frozen=True)
class LeftOut:
    """A file that is not used.

    Parameters
    ----------
    path, why
        The file, and the reason as the end of a sentence.
    is_label
        Whether it holds labels.
    """

    path: Path
    why: str
    is_label: bool


@dataclass(frozen=True)
class Pairing:
    """Files of one visit that belong together.

    Parameters
    ----------
    images, labels
        One run of each image, and labels of the same run and space.
    left_out
        All others.
    """

    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def pair_files(images: Sequence[Path], labels: Sequence[Path]) -> Pairing:
    """Keep what belongs together by the entities ``run``, ``space`` and ``part`` of the names.

    Of several runs of an image the one that has labels is kept, else the first. Names without these entities are kept
    as they are.

    Parameters
    ----------
    images, labels
        Files of one visit.
    """
    parts = {path: bids_name(file_stem(path)) for path in (*images, *labels)}
    phases = [path for path in images if parts[path].entities.get("part", "") not in _MAGNITUDE]
    left_out = [LeftOut(path, "it holds the phase or one part of complex values", is_label=False) for path in phases]
    magnitudes = [path for path in images if path not in phases]
    space = _space(magnitudes, labels, parts)
    in_space, others = _of_space(magnitudes, labels, parts, space)
    left_out += others
    drawn = [path for path in labels if _space_of(parts[path]) == space]
    left_out += [
        LeftOut(path, f"it lies in the space {parts[path].entities.get('space', 'of the image')!r}", is_label=True)
        for path in labels
        if path not in drawn
    ]
    kept, used, more = _of_run(in_space, drawn, parts)
    return Pairing(tuple(kept), tuple(used), (*left_out, *more))


def drawn_on(labels: Iterable[str], images: Mapping[_Each, Collection[str]]) -> list[_Each]:
    """Those of several images of one modality that labels were drawn on, by words of the names that tell them apart.

    Parameters
    ----------
    labels
        Words of the name of the labels.
    images
        Words of the name of each image.

    Returns
    -------
    All images where no word of the labels tells one from the others.
    """
    kept = list(images)
    for word in labels:
        kept = [image for image in kept if word in images[image]] or kept
    return kept


def _space_of(name: BidsName) -> str:
    space = name.entities.get("space", "")
    return "" if space in _NATIVE else space


def _spaces_of(name: BidsName) -> set[str]:
    """Spaces that an image lies in: a native ``T1w`` is in the space called ``T1w`` too."""
    space = _space_of(name)
    return {space} if space else {"", name.suffix}


def _space(images: Sequence[Path], labels: Sequence[Path], parts: Mapping[Path, BidsName]) -> str:
    """The space that most images lie in among those with labels, else among all; the scanner's where it is one."""
    known = sorted({space for path in images for space in _spaces_of(parts[path])})
    drawn = {_space_of(parts[path]) for path in labels}

    def order(space: str) -> tuple[bool, int, bool]:
        count = sum(space in _spaces_of(parts[path]) for path in images)
        return space in drawn, count, not space

    return max(known, key=order, default="")


def _of_space(
    images: Sequence[Path], labels: Sequence[Path], parts: Mapping[Path, BidsName], space: str
) -> tuple[list[Path], list[LeftOut]]:
    """Images of a space; one of another space stays where it has no twin in this one and there are no labels."""
    inside = [path for path in images if space in _spaces_of(parts[path])]
    twins = {parts[path].suffix for path in inside}
    has_labels = any(_space_of(parts[path]) == space for path in labels)
    kept, others = [], []
    for path in images:
        if path in inside or not (has_labels or parts[path].suffix in twins):
            kept.append(path)
        else:
            others.append(LeftOut(path, f"the others lie in {_in_words(space)}", is_label=False))
    return kept, others


def _in_words(space: str) -> str:
    return f"the space {space!r}" if space else "the space of the scanner"


def _of_run(
    images: Sequence[Path], labels: Sequence[Path], parts: Mapping[Path, BidsName]
) -> tuple[list[Path], list[Path], list[LeftOut]]:
    """One run of each image, the labels of these runs, and what is left out."""
    drawn = {run for path in labels if (run := _run_of(parts[path]))}
    groups: dict[tuple[object, ...], list[Path]] = {}
    for path in images:
        groups.setdefault(_without_run(path, parts[path]), []).append(path)
    kept: list[Path] = []
    left_out: list[LeftOut] = []
    for group in groups.values():
        chosen = min(group, key=lambda path: (_run_of(parts[path]) not in drawn, _run_of(parts[path])))
        # Files of one name in several folders are not runs of one another.
        runs = {_run_of(parts[path]) for path in group}
        kept += [path for path in group if len(runs) == 1 or path is chosen]
        why = f"{chosen.name} is the run that is used"
        left_out += [LeftOut(path, why, is_label=False) for path in group if path not in kept]
    of_images = {_run_of(parts[path]) for path in kept}
    is_one_run = all(len({_run_of(parts[path]) for path in group}) == 1 for group in groups.values())
    used = []
    for path in labels:
        run = _run_of(parts[path])
        if run in of_images or (not run and is_one_run) or (of_images == {""} and run in _ONLY_RUN):
            used.append(path)
        else:
            why = f"it belongs to run {run}, of which no image is used" if run else "its name does not say of which run"
            left_out.append(LeftOut(path, why, is_label=True))
    return kept, used, left_out


def _run_of(name: BidsName) -> str:
    run = name.entities.get("run", "")
    return f"{int(run):04}" if run.isdigit() else run


def _without_run(path: Path, name: BidsName) -> tuple[object, ...]:
    """What images of several runs have in common."""
    entities = tuple(sorted((key, value) for key, value in name.entities.items() if key != "run"))
    return path.parent, entities, name.rest
