"""``mrviewer export-seg``: a segmentation as DICOM, on the series that it belongs to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.options import AsJson, MinLesion, VoxelSize
from mrviewer.commands.study_arguments import sized
from mrviewer.commands.terminal import print_json, say

if TYPE_CHECKING:
    from mrviewer.writers.dicom.privacy import Privacy

__all__ = [
    "DicomFolder",
    "KeepIdentifiers",
    "NewUids",
    "SeriesModality",
    "SeriesNumber",
    "export_seg",
    "modality_of",
    "privacy_of",
]

DicomFolder = Annotated[Path, typer.Option("--dicom", help="Folder of the series, or of its study.", metavar="DIR")]
SeriesNumber = Annotated[
    int | None,
    typer.Option(
        "--series", help="Number of the series; by default the one of its modality on the same grid.", metavar="N"
    ),
]
SeriesModality = Annotated[
    str | None,
    typer.Option(
        "--modality", help="What the result was made from; by default what metrics.json beside it says.", metavar="NAME"
    ),
]
KeepIdentifiers = Annotated[
    bool, typer.Option("--keep-identifiers", help="Keep name, id and dates of the source; a pseudonym by default.")
]
NewUids = Annotated[
    bool, typer.Option("--new-uids", help="Replace all UIDs, the same one always by the same; then no way leads back.")
]


def export_seg(
    segmentation: Annotated[Path, typer.Option(help="Mask or label volume, e.g. NIfTI.", metavar="FILE")],
    dicom: DicomFolder,
    output: Annotated[Path, typer.Option(help="DICOM file to write.", metavar="FILE")],
    reference: Annotated[Path | None, typer.Option(help="Segmentation held to be true.", metavar="FILE")] = None,
    kind: Annotated[
        str, typer.Option(help="What a lesion is.", metavar="lesion|neoplasm|ms-plaque|infarct|edema|necrosis|cyst")
    ] = "lesion",
    region: Annotated[str | None, typer.Option(help="Where it lies.", metavar="brain|spinal-cord|liver")] = None,
    method: Annotated[str, typer.Option(help="What segmented; `by-hand` if a person did.", metavar="NAME")] = "unknown",
    series: SeriesNumber = None,
    modality: SeriesModality = None,
    min_lesion_ml: MinLesion = 0.0,
    voxel_size: VoxelSize = None,
    keep_identifiers: KeepIdentifiers = False,
    new_uids: NewUids = False,
    as_json: AsJson = False,
) -> None:
    """Write lesions as DICOM SEG, one segment a lesion, for PACS and other viewers."""
    from mrviewer.names.dicom_terms import LesionKind, Region
    from mrviewer.readers.opening import read_image, read_with_notes
    from mrviewer.writers.dicom.dicom_seg import SegmentTerms, write_dicom_seg
    from mrviewer.writers.dicom.lesion_labels import label_lesions
    from mrviewer.writers.dicom.source_choice import SourceWish, find_source

    terms = SegmentTerms(
        kind=LesionKind(_one_of(kind, [one.value for one in LesionKind], "--kind")),
        region=None if region is None else Region(_one_of(region, [one.value for one in Region], "--region")),
        algorithm=None if method == "by-hand" else method,
    )
    truth = None if reference is None else sized(read_image(reference, "labels"), voxel_size)
    drawn, said = read_with_notes(segmentation, "labels")
    lesions = label_lesions(sized(drawn, voxel_size), truth, min_lesion_ml)
    wish = SourceWish(lesions.image.geometry, modality_of(segmentation, modality), number=series)
    source = find_source(dicom, wish)
    written = write_dicom_seg(
        output, lesions.image, source, lesions=lesions.rows, terms=terms, privacy=privacy_of(keep_identifiers, new_uids)
    )
    notes = [one for one in (*said, *lesions.notes, written.note) if one]
    if as_json:
        segments = [
            {"number": number, "label": label, "description": words}
            for number, (label, words) in enumerate(zip(written.labels, written.descriptions, strict=True), 1)
        ]
        print_json({"series": source.title, "segments": segments, "notes": notes})
    for note in notes:
        say(note)
    say(f"wrote {output}: {len(written.labels)} segments on {source.description}")


def modality_of(result: Path, given: str | None) -> str:
    """Modality that a result was made from: the given one, else that of the run it lies in, else ``unknown``."""
    from mrviewer.names.image_names import canonical_modality
    from mrviewer.writers.dicom.source_choice import modality_beside

    return canonical_modality(given) if given else modality_beside(result)


def privacy_of(keep_identifiers: bool, new_uids: bool) -> "Privacy":
    """What the options say may leave."""
    from mrviewer.writers.dicom.privacy import Privacy

    if keep_identifiers and new_uids:
        raise typer.BadParameter("--keep-identifiers and --new-uids exclude each other")
    return Privacy(keep_identifiers, new_uids)


def _one_of(value: str, known: list[str], option: str) -> str:
    if value not in known:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(known)}", param_hint=option)
    return value
