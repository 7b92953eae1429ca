"""Looking at what a person dropped: a study that opens at once, or a question that comes before. No Qt."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mrviewer.errors import FileFormatError, InputError
from mrviewer.names.image_names import free_name, label_rank
from mrviewer.progress import Progress, retold
from mrviewer.readers.arrays.numpy_array import asks_for_axes, describe_array
from mrviewer.readers.dicom import SeriesEntry, list_series
from mrviewer.readers.dicom.dicom_study import public_name
from mrviewer.readers.dicom.segmentation import segmented_series
from mrviewer.readers.dicom_subject import labels_beside
from mrviewer.readers.found_file import FoundFile
from mrviewer.readers.opening import open_request
from mrviewer.readers.study_request import Candidate, StudyRequest, path_of, study_request
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.load_scan import load_scan, open_labels
from mrviewer_napari.opening.new_labels import NewLabels
from mrviewer_napari.opening.questions import ArrayQuestion, SeriesQuestion, Work, picture_of

__all__ = ["examine"]

_DICOM_ENDINGS = (".dcm", ".ima", ".dicom")
_UNKNOWN = "unknown"


def examine(paths: Sequence[str], scan: Scan | None = None) -> Work:
    """Look at files and folders, and open them if nothing has to be asked.

    Parameters
    ----------
    paths
        What was dropped or chosen; an array may come with its modality and its axes (``T2=path.npy:coil,y,x``).
    scan
        What is open; a segmentation that comes alone becomes its labels.

    Raises
    ------
    InputError
        If nothing of it can be opened; the sentence names the file and the fault.
    """
    yield Progress(0, 0, "looking at the files")
    series: list[FoundFile] = []
    others: list[Path] = []
    for file in (FoundFile(Path(path)) for path in paths):
        if _is_series(file):
            series.append(file)
        else:
            others.append(file.path)
    if series and all(_is_labels(path) for path in others):
        return (yield from _examine_series(series, others, scan))
    request = study_request(paths, None, None)
    if (question := _array_question(request, paths)) is not None:
        return question
    yield Progress(0, 0, "opening")
    return (yield from load_scan(open_request(request)))


def _is_series(file: FoundFile) -> bool:
    """Whether a path is DICOM, by its name or by what it holds."""
    return (file.path.is_file() and file.path.suffix.lower() in _DICOM_ENDINGS) or file.is_dicom_study


def _is_labels(path: Path) -> bool:
    return path.is_file() and label_rank(path) is not None


def _examine_series(files: Sequence[FoundFile], labels: Sequence[Path], scan: Scan | None) -> Work:
    """List series; ask only where there is more than one image to open."""
    paths = [file.path for file in files]
    has_picture = False

    def told(step: Progress) -> Progress:
        nonlocal has_picture
        entry = step.detail if isinstance(step.detail, SeriesEntry) else None
        picture = picture_of([entry]) if entry is not None and entry.stacks and not has_picture else None
        has_picture = has_picture or picture is not None
        return Progress(step.done, step.total, f"{step.done} of {step.total} files looked at", picture)

    entries = yield from retold(list_series(paths), told)
    yield Progress(0, 0, "sorting the series")
    beside = [*labels, *(beside for file in files for beside in labels_beside(file))]
    name = _name(paths)
    question = SeriesQuestion(entries, name, _drawn_on(entries), beside[0] if beside else None)
    images = [entry for entry in entries if entry.stacks and not entry.refusal]
    if len(images) > 1 or sum(len(entry.stacks) for entry in images) > 1:
        return question
    if images:
        return (yield from question.answered())
    if scan is not None and any(entry.is_segmentation and not entry.refusal for entry in entries):
        return NewLabels((yield from open_labels(scan, str(paths[0]))))
    raise FileFormatError(_nothing_opens(entries, paths))


def _name(paths: Sequence[Path]) -> str:
    """Name of a study; several files are called by their folder."""
    return public_name(paths[0] if len(paths) == 1 else paths[0].parent)


def _drawn_on(entries: Sequence[SeriesEntry]) -> dict[int, frozenset[str]]:
    """Which series the segmentations name; a damaged one names none."""
    found: dict[int, frozenset[str]] = {}
    for number, entry in enumerate(entries):
        if entry.is_segmentation and not entry.refusal:
            try:
                found[number] = segmented_series(entry.files[0])
            except FileFormatError:
                found[number] = frozenset()
    return found


def _nothing_opens(entries: Sequence[SeriesEntry], paths: Sequence[Path]) -> str:
    refusals = list(dict.fromkeys(entry.refusal for entry in entries if entry.refusal))
    if not refusals:
        return f"{paths[0].name} is a DICOM segmentation and no image; open its images first, then drop it onto them"
    if len(refusals) == 1:
        return refusals[0]
    return f"{_name(paths)} holds {len(refusals)} series and none opens: {refusals[0]}"


def _array_question(request: StudyRequest, items: Sequence[str]) -> ArrayQuestion | None:
    """Ask for the axes of the first array that has not been told about."""
    try:
        images = request.images
        arrays = [image for image in images if _is_untold(image) and (image.is_asked_for or len(images) == 1)]
        if not arrays:
            return None
        first, *waiting = arrays
        facts = describe_array(first.file.path)
    except InputError:
        return None  # Opening says why.
    if facts.kind == "bool":
        raise FileFormatError(
            f"{first.file.path.name} holds flags, as sampling masks do, and no image; choose it under Sampling, File..."
        )
    place = next((place for place, item in enumerate(items) if path_of(item) == first.file.path), 0)
    taken = _told_modalities([*items[:place], *items[place + 1 :]])
    modality = _UNKNOWN if first.modality in taken else first.modality
    return ArrayQuestion(first.file.path, facts, modality, partial(_told, items, place), taken, len(waiting))


def _is_untold(image: Candidate) -> bool:
    """Whether it is an array of unknown axes; a file that tells a series over time is not asked about."""
    return not image.axes and asks_for_axes(image.file.path)


def _told(items: Sequence[str], place: int, item: str) -> Work:
    """Go on with an array that was told about; a second one that is unknown gets a number."""
    modality, _, rest = item.partition("=")
    before, after = items[:place], items[place + 1 :]
    name = free_name(modality, _told_modalities([*before, *after]))
    return examine([*before, f"{name}={rest}", *after])


def _told_modalities(items: Sequence[str]) -> frozenset[str]:
    return frozenset(item.partition("=")[0] for item in items if "=" in item and not Path(item).exists())
