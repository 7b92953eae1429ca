"""``mrviewer export-dicom``: reconstruction and error map as derived MR series."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.export_seg import (
    DicomFolder,
    KeepIdentifiers,
    NewUids,
    SeriesModality,
    SeriesNumber,
    modality_of,
    privacy_of,
)
from mrviewer.commands.options import AsJson, VoxelSize
from mrviewer.commands.study_arguments import sized
from mrviewer.commands.terminal import print_json, say

if TYPE_CHECKING:
    from mrviewer.study import Image

__all__ = ["export_dicom"]


def export_dicom(
    dicom: DicomFolder,
    output: Annotated[Path, typer.Option(help="Folder to write.", metavar="DIR")],
    reconstruction: Annotated[Path | None, typer.Option(help="Reconstructed image.", metavar="FILE")] = None,
    error: Annotated[Path | None, typer.Option(help="Error map.", metavar="FILE")] = None,
    derivation: Annotated[str, typer.Option(help="How it was made, in words.", metavar="TEXT")] = "",
    series: SeriesNumber = None,
    modality: SeriesModality = None,
    voxel_size: VoxelSize = None,
    keep_identifiers: KeepIdentifiers = False,
    new_uids: NewUids = False,
    as_json: AsJson = False,
) -> None:
    """Write a reconstruction, an error map, or both, as DICOM series beside the one they were made from."""
    from mrviewer.writers.dicom.dicom_series import DerivedSeries, SeriesKind, write_dicom_series
    from mrviewer.writers.dicom.source_choice import UNKNOWN, SourceWish, find_source

    given = {SeriesKind.RECONSTRUCTION: reconstruction, SeriesKind.ERROR: error}
    images = {kind: sized(_one_volume(path), voxel_size) for kind, path in given.items() if path is not None}
    if not images:
        raise typer.BadParameter("give --reconstruction, --error, or both")
    privacy = privacy_of(keep_identifiers, new_uids)
    made_from = modality_of(next(path for path in given.values() if path is not None), modality)
    source = find_source(dicom, SourceWish(next(iter(images.values())).geometry, made_from, number=series))
    told = "" if made_from == UNKNOWN else made_from
    derived = [DerivedSeries(kind, image.volume(), image.geometry, derivation, told) for kind, image in images.items()]
    names = write_dicom_series(output, derived, source, privacy=privacy)
    if as_json:
        print_json({"series": source.title, "files": names, "notes": []})
    say(f"wrote {len(names)} images of {' and '.join(images)} on {source.description} to {output}")


def _one_volume(path: Path) -> "Image":
    from mrviewer.errors import InputError
    from mrviewer.readers import read_image

    image = read_image(path, "unknown")
    if image.n_frames != 1:
        raise InputError(f"{path.name} holds {image.n_frames} volumes; give a single one")
    return image
