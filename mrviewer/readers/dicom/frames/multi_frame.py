"""The frames of an enhanced multi-frame file: each with position, scaling and kind of its own.

What all frames share stands in one functional group, what differs in another per frame (PS3.3, C.7.6.16).
"""

from dataclasses import dataclass, replace

import pydicom

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note
from mrviewer.readers.dicom.files.header import Header, read_dataset
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.components import MAGNITUDE, component_of
from mrviewer.readers.dicom.frames.dimension_index import FrameIndex, contradictions, indices_of
from mrviewer.readers.dicom.frames.frame import AcquisitionTime, Frame, Kind
from mrviewer.readers.dicom.frames.single_frame import classic_frame, orthonormal_place
from mrviewer.readers.dicom.frames.times import DAY_S, seconds_of_moment, zone_seconds

__all__ = ["EnhancedFacts", "FunctionalGroups", "is_multi_frame", "multi_frames", "stated_numbers"]

MOST_FRAMES = 100_000
_NO_COMPONENT = ("", "M", "MAGNITUDE", "NONE", "MIXED", "ORIGINAL", "NORM", "DIFFUSION", "DERIVED", "TRACEW", "TRACE")
"""Fourth values of a frame's type that do not name what it shows."""


@dataclass(frozen=True)
class EnhancedFacts:
    """What the first frame says of the whole; 0 or empty where it does not.

    Parameters
    ----------
    contrast
        ``T1``, ``T2``, ``FLUID_ATTENUATED``, ... (PS3.3, C.8.13.3.1.5).
    repetition_ms, echo_ms, inversion_ms
        Times of the sequence.
    sequence_name
        Name of the pulse sequence.
    scanning_sequence
        ``GR``, ``SE`` and ``EP``, as classic files name them.
    notes
        Where the frames contradict the index of their file.
    """

    contrast: str = ""
    repetition_ms: float = 0
    echo_ms: float = 0
    inversion_ms: float = 0
    sequence_name: str = ""
    scanning_sequence: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def is_multi_frame(header: Header) -> bool:
    """Whether a file may hold several planes."""
    return (header.number(Tag.NUMBER_OF_FRAMES) or 0) >= 1


def multi_frames(header: Header) -> tuple[tuple[Frame, ...], EnhancedFacts]:
    """Planes of one file, in the order in which they are stored.

    Raises
    ------
    FileFormatError
        If the functional groups are missing or do not fit the number of frames.
    """
    name = header.file.name
    n_frames = int(header.number(Tag.NUMBER_OF_FRAMES) or 0)
    if n_frames > MOST_FRAMES:
        raise FileFormatError(f"{name} announces {n_frames:,} frames, more than any MR image has; export it again")
    base = classic_frame(header)
    with told_as(f"{name} is a multi-frame file whose description of the frames is damaged; export it again"):
        dataset = read_dataset(header.file, pixels=False)
        shared = dataset.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()]
        groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
        if not groups:
            return _undescribed(base, n_frames), EnhancedFacts()
        if len(groups) != n_frames:
            raise FileFormatError(
                f"{name} holds {n_frames} frames and describes {len(groups)} of them, so their places are unknown; "
                "export it again"
            )
        described = [FunctionalGroups(group, shared[0]) for group in groups]
        words = header.text(Tag.SERIES_DESCRIPTION)
        contents = [group.find("FrameContentSequence") for group in described]
        indices = indices_of(dataset, contents)
        frames = tuple(
            _frame(base, group, number, words, index)
            for number, (group, index) in enumerate(zip(described, indices, strict=True))
        )
        notes = contradictions(frames, indices, [_number(content, "TemporalPositionIndex") for content in contents])
        return frames, replace(_facts(described[0], dataset), notes=tuple(notes))


def _undescribed(base: Frame, n_frames: int) -> tuple[Frame, ...]:
    """Planes of a file that says nothing of each; one alone lies where the file does, several lie nowhere."""
    if n_frames == 1:
        return (base,)
    return tuple(
        replace(base, number=number, place=None, height_mm=None, moment=replace(base.moment, frame=number))
        for number in range(n_frames)
    )


class FunctionalGroups:
    """Functional groups of one frame: its own, else the shared ones.

    Parameters
    ----------
    own
        Item of the frame in the per-frame sequence.
    shared
        The only item of the shared sequence.
    """

    def __init__(self, own: pydicom.Dataset, shared: pydicom.Dataset) -> None:
        self._own = own
        self._shared = shared

    def find(self, sequence: str) -> pydicom.Dataset:
        """First item of a group, by the keyword of its sequence; an empty one if the frame has no such group."""
        items = self._own.get(sequence) or self._shared.get(sequence)
        return items[0] if items else pydicom.Dataset()


def _number(item: pydicom.Dataset, keyword: str) -> float:
    """Value of an element; 0 if it is not there."""
    return float(item.get(keyword) or 0)


def _frame(base: Frame, group: FunctionalGroups, number: int, description: str, index: FrameIndex) -> Frame:
    position = stated_numbers(group.find("PlanePositionSequence").get("ImagePositionPatient"), 3)
    orientation = stated_numbers(group.find("PlaneOrientationSequence").get("ImageOrientationPatient"), 6)
    place = orthonormal_place(position, orientation) or base.place
    measures, scaling = group.find("PixelMeasuresSequence"), group.find("PixelValueTransformationSequence")
    in_plane = stated_numbers(measures.get("PixelSpacing"), 2) or base.spacing_mm[1:]
    across = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or base.spacing_mm[0]
    return replace(
        base,
        number=number,
        place=place,
        height_mm=place.height_mm if place else None,
        spacing_mm=(abs(float(across)), in_plane[0], in_plane[1]),
        slope=float(scaling.get("RescaleSlope") or base.slope),
        intercept=float(scaling.get("RescaleIntercept") or base.intercept),
        moment=_moment(base.moment, group, number, index),
        kind=_kind(base.kind, group, description),
        stack=str(group.find("FrameContentSequence").get("StackID") or index.stack or ""),
    )


def _moment(base: AcquisitionTime, group: FunctionalGroups, number: int, index: FrameIndex) -> AcquisitionTime:
    content, diffusion = group.find("FrameContentSequence"), group.find("MRDiffusionSequence")
    gradients = diffusion.get("DiffusionGradientDirectionSequence") or [pydicom.Dataset()]
    written = str(content.get("FrameReferenceDateTime") or "")
    reference, zone = seconds_of_moment(written), zone_seconds(written)
    acquired, own_zone = _acquired(content, group)
    heart = group.find("CardiacSynchronizationSequence")
    trigger = heart.get("NominalCardiacTriggerDelayTime") or heart.get("ActualCardiacTriggerDelayTime")
    return replace(
        base,
        temporal_position=_number(content, "TemporalPositionIndex") or index.time or base.temporal_position,
        b_value=float(diffusion.get("DiffusionBValue") or base.b_value),
        direction=stated_numbers(gradients[0].get("DiffusionGradientOrientation"), 3) or base.direction,
        trigger_ms=float(trigger or base.trigger_ms),
        acquisition=float(content.get("FrameAcquisitionNumber") or base.acquisition),
        acquired_s=acquired or reference or base.acquired_s,
        created_s=reference or base.created_s,
        frame=number,
        acquired_zone_s=_known(own_zone if acquired else zone if reference else None, base.acquired_zone_s),
        created_zone_s=_known(zone if reference else None, base.created_zone_s),
        dimensions=index.repetition,
    )


def _known(zone: float | None, other: float | None) -> float | None:
    return other if zone is None else zone


def _acquired(content: pydicom.Dataset, group: FunctionalGroups) -> tuple[float, float | None]:
    """Seconds at which a frame was acquired, else those of its time point from the first one; and its time zone.

    0 if it does not say.
    """
    written = str(content.get("FrameAcquisitionDateTime") or "")
    if seconds := seconds_of_moment(written):
        return seconds, zone_seconds(written)
    offset = group.find("TemporalPositionSequence").get("TemporalPositionTimeOffset")
    return (0.0 if offset is None else DAY_S + float(offset)), None


def _kind(base: Kind, group: FunctionalGroups, description: str) -> Kind:
    frame_type = group.find("MRImageFrameTypeSequence")
    values = [str(value) for value in frame_type.get("FrameType") or ()][2:]
    component = component_of([str(frame_type.get("ComplexImageComponent") or ""), *values], None, description)
    if component == MAGNITUDE and values[1:] and values[1].upper() not in _NO_COMPONENT:
        component = values[1].lower().replace("_", " ")
    echo, coil = group.find("MREchoSequence"), group.find("MRReceiveCoilSequence")
    elements = coil.get("MultiCoilDefinitionSequence") or ()
    used = [str(item.get("MultiCoilElementName", "")) for item in elements if item.get("MultiCoilElementUsed") != "NO"]
    inversion = group.find("MRModifierSequence").get("InversionTimes") or 0
    return Kind(
        component,
        ";".join(filter(None, used)) or str(coil.get("ReceiveCoilName") or base.coil),
        float(echo.get("EffectiveEchoTime") or base.echo_ms),
        base.echo_number,
        float(group.find("MRTimingAndRelatedParametersSequence").get("FlipAngle") or base.flip_degrees),
        float(inversion if isinstance(inversion, int | float) else inversion[0]) or base.inversion_ms,
    )


def _facts(group: FunctionalGroups, dataset: pydicom.Dataset) -> EnhancedFacts:
    modifier, timing = group.find("MRModifierSequence"), group.find("MRTimingAndRelatedParametersSequence")
    inversion = modifier.get("InversionTimes") or 0
    return EnhancedFacts(
        str(
            group.find("MRImageFrameTypeSequence").get("AcquisitionContrast")
            or dataset.get("AcquisitionContrast")
            or ""
        ),
        float(timing.get("RepetitionTime") or 0),
        float(group.find("MREchoSequence").get("EffectiveEchoTime") or 0),
        float(inversion if isinstance(inversion, int | float) else inversion[0]),
        str(dataset.get("PulseSequenceName") or ""),
        _scanning_sequence(dataset),
    )


def _scanning_sequence(dataset: pydicom.Dataset) -> tuple[str, ...]:
    echoes = {"GRADIENT": ("GR",), "SPIN": ("SE",), "BOTH": ("SE", "GR")}.get(str(dataset.get("EchoPulseSequence")), ())
    return (*echoes, "EP") if dataset.get("EchoPlanarPulseSequence") == "YES" else echoes


def stated_numbers(values: object, count: int) -> tuple[float, ...] | None:
    """Numbers of a multi-valued element; `None` if there are not as many."""
    if not isinstance(values, pydicom.multival.MultiValue) or len(values) != count:
        return None
    return tuple(float(value) for value in values)
