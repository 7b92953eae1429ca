"""Which DICOM series a result belongs to, where a folder holds several.

A study has several series on one grid, and a result that refers to the wrong one is worse than none: a reconstruction
of the FLAIR images would be taken for one of the T1. So a series is chosen where something tells that it is the one,
and else a person is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.files.json_text import read_json_object
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import PHASES, SERIES
from mrviewer.writers.dicom.dicom_source import DicomSource, lies_on, read_sources, require_placed

__all__ = ["UNKNOWN", "SourceWish", "UnclearSourceError", "choose_source", "find_source", "modality_beside"]

UNKNOWN = "unknown"


@dataclass(frozen=True)
class SourceWish:
    """What is known of the series that a result was made from.

    Parameters
    ----------
    geometry
        Grid of the result.
    modality
        Of the image that it was made from; ``unknown`` if nobody knows.
    uid
        SeriesInstanceUID of that image; empty if nobody knows.
    number
        Number of the series that a person chose.
    """

    geometry: Geometry
    modality: str = UNKNOWN
    uid: str = ""
    number: int | None = None


class UnclearSourceError(InputError):
    """Several series could be meant, or none seems to be.

    Parameters
    ----------
    fault
        What came and what was expected.
    remedy
        What to do.
    """

    def __init__(self, fault: str, remedy: str = "choose one by its number, with --series NUMBER") -> None:
        super().__init__(f"{fault}; {remedy}")


def modality_beside(result: Path) -> str:
    """Modality that a result was made from, by the ``metrics.json`` of its run; ``unknown`` where there is none."""
    try:
        metrics = read_json_object(result.parent / "metrics.json", "its modality is not known")
    except (OSError, ValueError):
        return UNKNOWN
    modality = metrics.get("modality")
    return modality if isinstance(modality, str) and modality else UNKNOWN


def find_source(path: Path, wish: SourceWish) -> DicomSource:
    """The series at a path that a result belongs to.

    Parameters
    ----------
    path
        A folder, searched with its subfolders, a zip, a DICOMDIR, or a file of the series.
    wish
        What is known of it.

    Raises
    ------
    InputError
        If there is no such series, or it is not clear which one is meant.
    """
    return choose_source(read_sources(path), wish)


def choose_source(sources: Sequence[DicomSource], wish: SourceWish) -> DicomSource:
    """The series that a result belongs to.

    That is the one of the wished number; else that of the wished UID; else, of those on the grid of the result, the one
    whose modality is that of the result. Where the modality of the result or of the series is not known, a single
    series on the grid will do, and a single series on another grid too.

    Raises
    ------
    UnclearSourceError
        If several could be meant, or none seems to be.
    InputError
        If there is no series of the wished number, or the result is not placed.
    """
    require_placed(wish.geometry, "the result")
    if wish.number is not None:
        return _of_number(sources, wish, wish.number)
    own = [source for source in sources if wish.uid and source.uid == wish.uid]
    return _best_placed(own, wish) if own else _only(_of_modality(_on_grid(sources, wish), wish), wish)


def _of_number(sources: Sequence[DicomSource], wish: SourceWish, number: int) -> DicomSource:
    chosen = [source for source in sources if source.number == number]
    if not chosen:
        raise InputError(f"there is no series {number}; there are {_told(sources)}: choose one of these")
    if _count(chosen) > 1:
        # Scanners count anew in each study, so that a folder of several has numbers twice.
        chosen = [source for source in chosen if lies_on(source, wish.geometry)] or chosen
    if _count(chosen) > 1:
        raise UnclearSourceError(
            f"{_count(chosen)} series have the number {number}: {_told(chosen)}", "give the folder of one of them"
        )
    return _best_placed(chosen, wish)


def _on_grid(sources: Sequence[DicomSource], wish: SourceWish) -> list[DicomSource]:
    fitting = [source for source in sources if lies_on(source, wish.geometry)]
    if not fitting and _count(sources) > 1:
        raise UnclearSourceError(f"the result lies on the grid of none of {_told(sources)}")
    return fitting or list(sources)


def _of_modality(sources: Sequence[DicomSource], wish: SourceWish) -> list[DicomSource]:
    """Series of the modality of the result; all of them where nothing is known of either."""
    modality = _without_number(wish.modality)
    if modality == UNKNOWN or all(source.modality == UNKNOWN for source in sources):
        return list(sources)
    names = (modality, SERIES) if modality in PHASES else (modality,)
    matching = [source for source in sources if _without_number(source.modality) in names]
    if not matching:
        raise UnclearSourceError(f"the result was made from {modality}, and there is only {_told(sources)}")
    return matching


def _without_number(modality: str) -> str:
    """``T1`` of ``T1_2``, as the second image of a modality is called."""
    return modality.partition("_")[0]


def _only(sources: Sequence[DicomSource], wish: SourceWish) -> DicomSource:
    if _count(sources) > 1:
        raise UnclearSourceError(f"the result may belong to any of {_told(sources)}")
    return _best_placed(sources, wish)


def _best_placed(sources: Sequence[DicomSource], wish: SourceWish) -> DicomSource:
    """Of the volumes of one series the first on the grid of the result, else the first."""
    return next((source for source in sources if lies_on(source, wish.geometry)), sources[0])


def _count(sources: Sequence[DicomSource]) -> int:
    return len({source.uid or source.title for source in sources})


def _told(sources: Sequence[DicomSource]) -> str:
    return ", ".join(dict.fromkeys(source.description for source in sources))
