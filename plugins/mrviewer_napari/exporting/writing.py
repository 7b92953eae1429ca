"""Export in a thread: all files into one new folder, which appears whole or not at all. No Qt."""

import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from os.path import commonpath
from pathlib import Path
from typing import Annotated

import numpy as np

from mrviewer.errors import InputError
from mrviewer.files.portable_names import portable_name
from mrviewer.files.whole_folder import new_folder
from mrviewer.metrics.quality import error_map
from mrviewer.names.dicom_terms import LesionKind, Region
from mrviewer.progress import Progress
from mrviewer.sampling import FILE
from mrviewer.study import Image
from mrviewer.writers import write_volume
from mrviewer.writers.bids import BidsTarget, write_bids
from mrviewer.writers.dicom.dicom_series import DerivedSeries, SeriesKind, write_dicom_series
from mrviewer.writers.dicom.dicom_source import DicomSource
from mrviewer.writers.dicom.lesion_labels import LabelledLesions, label_lesions
from mrviewer.writers.dicom.privacy import Privacy
from mrviewer.writers.figures import Figure, write_figure
from mrviewer.writers.results import write_results
from mrviewer.writers.tables import write_quantities
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.exporting.export_items import DICOM_ITEMS, Item
from mrviewer_napari.exporting.privacy_texts import KINDS, REGIONS
from mrviewer_napari.facts.scan import Scan

__all__ = ["ExportRequest", "Exportable", "Exported", "export"]

_RESULTS = {
    Item.IMAGE: ("reconstruction.nii.gz",),
    Item.ERROR: ("error.nii.gz",),
    Item.SEGMENTATION: ("segmentation.nii.gz", "segmentation_classes.nii.gz"),
    Item.MASK: ("mask.npy",),
    Item.NUMBERS: ("metrics.json", "lesions.csv"),
}
_FIGURES = {Item.PNG: "figure.png", Item.SVG: "figure.svg"}
_WORDS = {Item.NUMBERS: "numbers", Item.BIDS: "BIDS", Item.PNG: "figure", Item.SVG: "figure"}
"""What the last sentence calls an item; others go under their heading."""
_DICOM, _STAGE = "dicom", ".stage"
_KINDS = [(words, kind) for kind, words in KINDS.items()]
_REGIONS = [(words, region) for region, words in REGIONS.items()]
_Step = tuple[str, Callable[[], object]]


@dataclass(frozen=True)
class ExportRequest:
    """What to write, and where.

    Parameters
    ----------
    items
        What is ticked.
    parent
        The new folder is made in this one.
    name
        A new folder is made; where the name is taken, a number follows it.
    is_anonymous
        Whether nothing may tell who the patient is.
    new_uids
        Whether UIDs are replaced in DICOM files.
    kind
        What the lesions are, as a code in DICOM SEG.
    region
        Where they lie.
    subject
        Letters and digits; never a name.
    """

    items: frozenset[Item]
    parent: Annotated[Path, {"label": "Save in", "mode": "d"}]
    name: Annotated[str, {"label": "New folder"}]
    is_anonymous: Annotated[bool, {"text": "Anonymise"}] = True
    new_uids: Annotated[bool, {"text": "Replace UIDs too"}] = False
    kind: Annotated[LesionKind, {"label": "Lesions are", "choices": _KINDS}] = LesionKind.LESION
    region: Annotated[Region | None, {"label": "They lie in", "choices": _REGIONS}] = None
    subject: Annotated[str, {"label": "Subject label (BIDS)"}] = "01"

    @property
    def privacy(self) -> Privacy:
        """What of the person goes into DICOM files."""
        return Privacy(not self.is_anonymous, self.new_uids)


@dataclass(frozen=True, eq=False)
class Exportable:
    """What there is to write.

    Parameters
    ----------
    scan
        What is open.
    outcomes
        Finished volumes of the chosen methods.
    source
        The DICOM series that they belong to.
    figure
        The tiles.
    min_lesion_ml
        Smaller lesions are left out of DICOM SEG.
    """

    scan: Scan
    outcomes: tuple[Outcome, ...]
    source: DicomSource | None = None
    figure: Figure | None = None
    min_lesion_ml: float = 0.0


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder
        Where.
    n_files
        How many files.
    items
        What they hold.
    notes
        What was done on the way.
    """

    folder: Path
    n_files: int
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        files = "1 file" if self.n_files == 1 else f"{self.n_files} files"
        what = dict.fromkeys(_WORDS.get(item, item.group.value) for item in self.items)
        return f"Saved {files} to {self.folder.name}: {', '.join(what)}"


def export(given: Exportable, wish: ExportRequest) -> Generator[Progress, None, Exported]:
    """Write what is wished into a new folder, each method in a folder of its own if there are several.

    Raises
    ------
    InputError
        If nothing is wished, the folder is that of the DICOM images, or nothing can be written there.
    """
    if not wish.items:
        raise InputError("nothing is ticked; choose what to save")
    _require_apart(given, wish)
    with new_folder(wish.parent.expanduser(), wish.name.strip()) as made:
        notes: list[str] = []
        steps = list(_steps(given, wish, made.partial, notes))
        for place, (message, step) in enumerate(steps):
            yield Progress(place, len(steps), message)
            step()
        yield Progress(len(steps), len(steps), "finishing")
        shutil.rmtree(made.partial / _STAGE, ignore_errors=True)
        n_files = sum(path.is_file() for path in made.partial.rglob("*"))
    items = tuple(item for item in Item if item in wish.items)
    return Exported(made.path, n_files, items, tuple(dict.fromkeys(notes)))


def _require_apart(given: Exportable, wish: ExportRequest) -> None:
    """Refuse DICOM files among those of the source: whoever opens its folder again would take them for the study's."""
    if given.source is None or not wish.items & DICOM_ITEMS:
        return
    files = {frame.file for frame in given.source.stack.frames[0] if frame is not None}
    # Nothing that lies beside a zip is read with it.
    own = {file.path.resolve().parent for file in files if not file.member}
    if not own:
        return
    # Discs spread a series over folders; what lies above them is opened as one study.
    top, parent = Path(commonpath(own)), wish.parent.expanduser().resolve()
    if parent.is_relative_to(top):
        raise InputError(
            f"{parent.name} holds the DICOM images that were opened, and results there would be read with them; choose "
            "another folder"
        )


def _steps(given: Exportable, wish: ExportRequest, folder: Path, notes: list[str]) -> Iterator[_Step]:
    """What to do one after another, each with a message; `notes` grows on the way."""
    for outcome in given.outcomes:
        target = folder if len(given.outcomes) == 1 else folder / portable_name(outcome.request.method)
        yield from _method_steps(given, wish, outcome, target, notes)
        if Item.BIDS in wish.items:
            call = partial(_write_bids, given, wish, outcome, folder)
            yield f"{outcome.request.method}: BIDS derivatives", call
    labels = given.scan.study.labels
    if labels is not None and Item.LABELS in wish.items:
        yield (
            "reference labels",
            partial(write_volume, _inside(folder) / "labels.nii.gz", labels.volume(), labels.geometry),
        )
    if labels is not None and Item.LABELS_SEG in wish.items:
        yield "reference labels as DICOM SEG", partial(_write_labels_seg, given, wish, labels, folder, notes)
    for item, name in _FIGURES.items():
        if item in wish.items and given.figure is not None:
            yield name, partial(write_figure, _inside(folder) / name, given.figure)


def _method_steps(
    given: Exportable, wish: ExportRequest, outcome: Outcome, target: Path, notes: list[str]
) -> Iterator[_Step]:
    method, made = outcome.request.method, outcome.reconstruction
    files = {name for item, names in _RESULTS.items() if item in wish.items for name in names}
    if files:
        yield f"{method}: images and numbers", partial(_write_results, given, wish, outcome, target, files)
    has_lesions = made.lesions is not None and bool(made.lesions.any())
    if Item.SEG in wish.items and has_lesions:
        yield f"{method}: DICOM SEG", partial(_write_seg, given, wish, outcome, target, notes)
    elif Item.SEG in wish.items and made.lesions is not None:
        notes.append(f"{method} found no lesion, so it has no DICOM SEG")
    if series := _series(outcome, wish.items):
        yield f"{method}: derived series", partial(_write_series, given, wish, series, target)


def _inside(folder: Path) -> Path:
    """The folder, which exists now."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _notes_of(given: Exportable, wish: ExportRequest) -> tuple[str, ...]:
    """Notes may name files, and files may be named after people."""
    return () if wish.is_anonymous else given.scan.study.notes


def _write_results(given: Exportable, wish: ExportRequest, outcome: Outcome, target: Path, files: set[str]) -> None:
    notes = _notes_of(given, wish)
    metrics = write_results(_inside(target), outcome.reconstruction, outcome.assessment, notes, files)
    if Item.NUMBERS in wish.items:
        write_quantities(target / "metrics.csv", metrics)


def _write_bids(given: Exportable, wish: ExportRequest, outcome: Outcome, folder: Path) -> None:
    stage = folder / _STAGE / outcome.request.method
    write_results(stage, outcome.reconstruction, outcome.assessment, _notes_of(given, wish))
    write_bids(stage, BidsTarget(folder / "bids", wish.subject.strip()))


def _write_seg(given: Exportable, wish: ExportRequest, outcome: Outcome, target: Path, notes: list[str]) -> None:
    made = outcome.reconstruction
    if made.lesions is None:
        return
    found = label_lesions(Image(made.lesions, made.geometry, "labels"), given.scan.study.labels, given.min_lesion_ml)
    _write_segments(given, wish, found, _inside(target / _DICOM) / "segmentation.dcm", (made.method, notes))


def _write_labels_seg(given: Exportable, wish: ExportRequest, labels: Image, folder: Path, notes: list[str]) -> None:
    found = label_lesions(labels, None, given.min_lesion_ml)
    _write_segments(given, wish, found, _inside(folder / _DICOM) / "labels.dcm", (None, notes))


def _write_segments(
    given: Exportable, wish: ExportRequest, found: LabelledLesions, path: Path, by: tuple[str | None, list[str]]
) -> None:
    """Write lesions, drawn `by` a method or, without its name, a person."""
    # highdicom takes a fifth of a second to load, which the window shall not wait for.
    from mrviewer.writers.dicom.dicom_seg import SegmentTerms, write_dicom_seg

    algorithm, notes = by
    if given.source is None:
        return
    terms = SegmentTerms(wish.kind, wish.region, algorithm=algorithm)
    written = write_dicom_seg(path, found.image, given.source, lesions=found.rows, terms=terms, privacy=wish.privacy)
    notes += [note for note in (*found.notes, written.note) if note]


def _series(outcome: Outcome, items: frozenset[Item]) -> list[DerivedSeries]:
    """Volumes of a method that become series."""
    made = outcome.reconstruction
    if made.image is None:
        return []
    mask = made.mask
    family = FILE.name if FILE.matches(mask.name) else mask.name
    words = f"{made.method}, {family} mask, acceleration {mask.achieved_acceleration:.3g}"
    series = []
    if Item.IMAGE_SERIES in items:
        series.append(DerivedSeries(SeriesKind.RECONSTRUCTION, made.image, made.geometry, words, made.modality))
    if Item.ERROR_SERIES in items and made.reference is not None:
        error = error_map(made.image, np.asarray(made.reference))
        series.append(DerivedSeries(SeriesKind.ERROR, error, made.geometry, words, made.modality))
    return series


def _write_series(given: Exportable, wish: ExportRequest, series: list[DerivedSeries], target: Path) -> None:
    if given.source is not None:
        write_dicom_series(_inside(target / _DICOM), series, given.source, privacy=wish.privacy)
