"""What becomes of every file of the folder of real data: a page of the documentation, and what a test compares it with.

python tests/data_table.py ../shared/data > docs/real-data.md
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.readers.contents import FileContents
from mrviewer.readers.dicom import is_dicom, list_series, read_series
from mrviewer.study import Image, RawData

__all__ = ["Row", "page", "rows"]

NOT_DATA = (".md", ".txt", ".json", ".tsv", ".html")
ALONE = ("dicom_misc", "dicom_transfer_syntaxes")
"""Folders whose DICOM files have nothing to do with each other."""
MANY = 5
"""So many files of one folder that open alike share a row."""
HEAD = """# Real data

What becomes of every file of the folder of real data that the tests use (158 MB: MS, stroke, glioma, raw k-space, DICOM
of six vendors, damaged files). Each is opened alone, as a person would drop it on the window, and all its pixels are
read, or the samples of a slice. DICOM is opened series by series, and what is said of a series stands beside it.

    python tests/data_table.py ../shared/data > docs/real-data.md

writes this page. `tests/core/test_real_data.py` fails when it is not what the readers do, when something is refused
that should open or the other way, and when an image from NIfTI has another size, voxel size or mean than nibabel finds.
"""


@dataclass(frozen=True)
class Row:
    """What became of one file or series.

    Parameters
    ----------
    path
        Relative to the folder of data; of a series, its folder.
    part
        Which series of the folder; empty for a file.
    opens
        Whether it does.
    outcome
        What it holds, or the sentence that refuses it.
    mean
        Of all voxels that are numbers; `None` for raw data and what does not open.
    """

    path: Path
    part: str
    opens: bool
    outcome: str
    mean: float | None = None


def rows(folder: Path) -> Iterator[Row]:
    """Open everything, in the order of the names."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in NOT_DATA and "licenses" not in path.parts and path.parent != folder
    ]
    for parent, inside in groupby(files, key=lambda path: path.parent):
        siblings = list(inside)
        series = [path for path in siblings if is_dicom(path) and path.relative_to(folder).parts[0] not in ALONE]
        if series:
            yield from _series_rows(parent, folder)
        for path in siblings:
            if path not in series:
                yield _file_row(path, folder)


def page(found: Sequence[Row]) -> str:
    """The documentation's page, in Markdown."""
    n_open = sum(row.opens for row in found)
    lines = [HEAD, f"{len(found)} files and series: {n_open} open, {len(found) - n_open} are refused.", ""]
    for top, group in groupby(found, key=lambda row: row.path.parts[0]):
        lines += [f"## {top}", "", "| what | becomes |", "|---|---|"]
        for _, alike in groupby(group, key=lambda row: (row.path.parent, row.opens, bool(row.part))):
            lines += _lines(list(alike), top)
        lines.append("")
    return "\n".join(lines)


def _lines(alike: list[Row], top: str) -> list[str]:
    first = alike[0]
    if first.opens and not first.part and len(alike) > MANY and len({row.outcome for row in alike}) > MANY:
        folder = first.path.parent.relative_to(top)
        return [f"| {folder}: {len(alike)} files | opens, e.g. {first.path.name}: {first.outcome} |"]
    lines = []
    for row in alike:
        name = " ".join(filter(None, [str(row.path.relative_to(top)), row.part])).replace("|", "\\|")
        lines.append(f"| {name} | {'' if row.opens else '**refused**: '}{row.outcome} |")
    return lines


def _file_row(path: Path, folder: Path) -> Row:
    def read() -> FileContents:
        study = open_study(path)
        return FileContents(tuple(study.images.values()), tuple(study.raw.values()))

    return _row(path.relative_to(folder), "", read)


def _series_rows(parent: Path, folder: Path) -> Iterator[Row]:
    entries = finish(list_series(parent))
    for number, entry in enumerate(entries, 1):
        for volume, name in enumerate(entry.volumes or ("",)):
            part = f"series {number}" if len(entries) > 1 else ""
            part = ", ".join(filter(None, [part, name])) or "series"
            yield _row(parent.relative_to(folder), part, partial(read_series, entry, volume))


def _row(shown: Path, part: str, read: Callable[[], FileContents]) -> Row:
    try:
        contents = read()
        # Raw data make an image of their own, which takes a reconstruction to see.
        images = () if contents.raw else contents.images
        means = [_mean(image) for image in images]
        for raw in contents.raw:
            raw.kspace(raw.shape[0] // 2)
    except InputError as error:
        return Row(shown, part, opens=False, outcome=str(error))
    said = [*map(_of_image, images), *map(_of_raw, contents.raw), *contents.notes]
    return Row(shown, part, opens=True, outcome="; ".join(said), mean=means[0] if len(means) == 1 else None)


def _mean(image: Image) -> float:
    values = np.asarray(image.data)
    return float(np.mean(values, dtype=np.float64, where=np.isfinite(values)))


def _of_image(image: Image) -> str:
    frames = f"{image.n_frames} volumes of " if image.n_frames > 1 else ""
    return f"{image.modality}, {frames}{_grid(image.geometry)}"


def _of_raw(raw: RawData) -> str:
    coils = f"{raw.shape[1]} coils" if raw.shape[1] > 1 else "one coil"
    acquired = "fully sampled" if raw.acquired is None else f"{np.mean(raw.acquired):.1%} of k-space acquired"
    return f"k-space, {raw.modality}, {coils}, {acquired}, {_grid(raw.geometry)}"


def _grid(geometry: Geometry) -> str:
    voxel = " × ".join(f"{size:.3g}" for size in geometry.voxel_size_mm)
    return f"{' × '.join(map(str, geometry.shape))} voxels of {voxel} mm"


if __name__ == "__main__":
    print(page(list(rows(Path(sys.argv[1])))))
