"""From the headers of one series to what a person chooses from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.readers.dicom.contrast import SequenceFacts, modality_of_part, propose_modality
from mrviewer.readers.dicom.files.header import Header
from mrviewer.readers.dicom.files.patient import Identity
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.frame import Frame
from mrviewer.readers.dicom.frames.mosaic import is_mosaic, is_tiled_frames, mosaic_frames, tiled_frames
from mrviewer.readers.dicom.frames.multi_frame import EnhancedFacts, is_multi_frame, multi_frames
from mrviewer.readers.dicom.frames.single_frame import classic_frame
from mrviewer.readers.dicom.segmentation import SEGMENTATION_CLASSES
from mrviewer.readers.dicom.series import SeriesEntry
from mrviewer.readers.dicom.stacks.stack import Stack, build_stacks

__all__ = ["describe_series", "usable_frames"]

_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
LONGEST_CODE = 16
"""Letters of a code such as a modality (VR CS)."""
MOST_NAMED = 10
"""Damaged files of a series that are named one by one."""
_OTHERS = {
    "CT": "computed tomography",
    "US": "ultrasound",
    "PT": "positron emission tomography",
    "NM": "nuclear medicine",
    "CR": "radiography",
    "DX": "radiography",
    "MG": "mammography",
    "SR": "a structured report",
    "PR": "a presentation state",
    "KO": "a list of key images",
    "OT": "a secondary capture",
    "SC": "a secondary capture",
    "RTSTRUCT": "contours for radiotherapy (RTSTRUCT)",
    "DOC": "a document",
}


@dataclass(frozen=True)
class _SeriesPlanes:
    """Planes of all files of a series, and what could not be used."""

    frames: tuple[Frame, ...]
    facts: EnhancedFacts
    notes: tuple[str, ...]


def describe_series(
    headers: Sequence[Header], study: int, identity: Identity, notes: Sequence[str] = ()
) -> SeriesEntry:
    """Build the entry of one series; one that cannot be opened says why.

    Parameters
    ----------
    headers
        Of its files.
    study
        Number of its study.
    identity
        Who the patient is, to be kept out.
    notes
        Of the whole listing.
    """
    first, names = headers[0], [header.file.name for header in headers]
    is_segmentation = first.text(Tag.SOP_CLASS) in SEGMENTATION_CLASSES
    planes, stacks, refusal = _opened(headers, is_segmentation=is_segmentation)
    return SeriesEntry(
        study=study,
        number=int(first.number(Tag.SERIES_NUMBER) or 0),
        modality="labels" if is_segmentation else _modality(first, planes, stacks),
        description=identity.without(first.text(Tag.SERIES_DESCRIPTION)),
        study_description=identity.without(first.text(Tag.STUDY_DESCRIPTION)),
        sequence=identity.without(first.text(Tag.SEQUENCE_NAME) or planes.facts.sequence_name),
        matrix=_matrix(first, stacks),
        n_slices=len(stacks[0].frames[0]) if stacks else 0,
        n_frames=len(stacks[0].frames) if stacks else 0,
        volumes=tuple(stack.label for stack in stacks),
        voxel_size_mm=_voxel_size_mm(stacks),
        notes=(*notes, *identity.kept_out(planes.notes, names)),
        refusal="".join(identity.kept_out([refusal], names)) if refusal else "",
        is_segmentation=is_segmentation,
        uid=first.text(Tag.SERIES_INSTANCE),
        frame_of_reference=stacks[0].reference if stacks else first.text(Tag.FRAME_OF_REFERENCE),
        files=tuple(header.file for header in headers),
        stacks=stacks,
    )


def usable_frames(header: Header) -> tuple[Frame, ...]:
    """Planes of one file; none if it is damaged, or holds no image."""
    try:
        return _frames(header)[0]
    except FileFormatError:
        return ()


def _opened(headers: Sequence[Header], *, is_segmentation: bool) -> tuple[_SeriesPlanes, tuple[Stack, ...], str]:
    """Planes and volumes of a series, and why there are none."""
    planes, refusal = _SeriesPlanes((), EnhancedFacts(), ()), _refusal(headers)
    if refusal or is_segmentation:
        return planes, (), refusal
    try:
        planes = _planes(headers)
        stacks, strays = build_stacks(planes.frames)
    except FileFormatError as error:
        return planes, (), str(error)
    return replace(planes, notes=(*planes.notes, *strays)), stacks, ""


def _refusal(headers: Sequence[Header]) -> str:
    """Why a series is nothing for this program, by what the header says that it is."""
    first = headers[0]
    name, modality, sop_class = first.file.name, first.text(Tag.MODALITY), first.text(Tag.SOP_CLASS)
    if modality == "MR" or sop_class in (*SEGMENTATION_CLASSES, _PARAMETRIC_MAP):
        return ""
    # A damaged header may hold anything there, names too.
    is_code = len(modality) <= LONGEST_CODE and modality.isalnum()
    what = _OTHERS.get(modality, f"an object of modality {modality!r}" if is_code else "an object of no known modality")
    if modality == "RTSTRUCT":
        return (
            f"{name} is {what} and not an image; convert it to DICOM SEG or NIfTI (3D Slicer does), give that as labels"
        )
    return f"{name} is {what} and no MR image; open an MR series"


def _planes(headers: Sequence[Header]) -> _SeriesPlanes:
    """Planes of each file; a damaged file is left out unless all are."""
    frames: list[Frame] = []
    facts: EnhancedFacts | None = None
    failures: list[FileFormatError] = []
    of_frames: list[Note] = []
    for header in headers:
        try:
            found, enhanced = _frames(header)
        except FileFormatError as error:
            failures.append(error)
            continue
        frames += found
        facts = facts or enhanced
        of_frames += enhanced.notes if enhanced else ()
    if not frames:
        raise failures[0]
    notes = [left_out(str(failure)) for failure in failures[:MOST_NAMED]]
    notes += dict.fromkeys(of_frames)
    if len(failures) > MOST_NAMED:
        more = len(failures) - MOST_NAMED
        notes.append(left_out(f"{more} more damaged files of this series", more))
    if any(frame.pixels.is_inverted for frame in frames):
        said = "the file shows its smallest values brightest (MONOCHROME1); they were turned round"
        notes.append(Note(said, NoteKind.VALUES))
    return _SeriesPlanes(tuple(frames), facts or EnhancedFacts(), tuple(notes))


def _frames(header: Header) -> tuple[tuple[Frame, ...], EnhancedFacts | None]:
    if is_multi_frame(header):
        return multi_frames(header)
    plane = classic_frame(header)
    if is_mosaic(header):
        return mosaic_frames(header, plane), None
    if is_tiled_frames(header):
        return tiled_frames(header, plane), None
    return (plane,), None


def _modality(header: Header, planes: _SeriesPlanes, stacks: Sequence[Stack]) -> str:
    """Proposed modality of the first volume."""
    component = stacks[0].component if stacks else ""
    facts = _sequence_facts(header, planes)
    if component != "ADC":
        # The first file may be of another part.
        facts = replace(facts, image_type=tuple(word for word in facts.image_type if word.upper() != "ADC"))
    return modality_of_part(propose_modality(facts), component)


def _sequence_facts(header: Header, planes: _SeriesPlanes) -> SequenceFacts:
    facts = planes.facts
    return SequenceFacts(
        descriptions=(header.text(Tag.SERIES_DESCRIPTION), header.text(Tag.PROTOCOL_NAME)),
        image_type=header.texts(Tag.IMAGE_TYPE),
        scanning_sequence=header.texts(Tag.SCANNING_SEQUENCE) or facts.scanning_sequence,
        enhanced_contrast=facts.contrast,
        repetition_ms=header.number(Tag.REPETITION_TIME) or facts.repetition_ms,
        echo_ms=header.number(Tag.ECHO_TIME) or facts.echo_ms,
        inversion_ms=header.number(Tag.INVERSION_TIME) or facts.inversion_ms,
        contrast_agent=header.text(Tag.CONTRAST_AGENT),
        b_value=max((frame.moment.b_value for frame in planes.frames), default=0),
    )


def _matrix(header: Header, stacks: Sequence[Stack]) -> tuple[int, int]:
    if stacks:
        return next(stacks[0].planes).shape
    return header.short(Tag.ROWS), header.short(Tag.COLUMNS)


def _voxel_size_mm(stacks: Sequence[Stack]) -> tuple[float, float, float]:
    """Distances of slices, rows and columns."""
    if not stacks:
        return (0.0, 0.0, 0.0)
    stored = stacks[0].geometry.stored_affine[:3, :3]
    column, row, across = ((stored**2).sum(axis=0) ** 0.5).tolist()
    return across, row, column
