"""Opening a study by a mapping: chosen channels on one grid, labels as the method counts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError, InputError
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import common_grid, image_name, lay_over, why_unknown
from mrviewer.images.voxel_size import with_size_note, with_true_voxel_size
from mrviewer.notes import Note, left_out
from mrviewer.plain_text import plain, shortened
from mrviewer.readers.contents import FileContents
from mrviewer.readers.found_file import FoundFile
from mrviewer.readers.label_files import labels_of
from mrviewer.readers.phases import FrameArray, split_into_phases
from mrviewer.study import Image, Study
from mrviewer.system.faults import guarded

__all__ = ["MappedSubject", "map_labels", "open_contents"]


@dataclass(frozen=True)
class MappedSubject:
    """All that is needed to open one study; calling it does so, in any process.

    Parameters
    ----------
    name
        Of the study.
    channels
        File by modality.
    frames
        Volume of the file, for modalities that share one 4-D file.
    label
        File of the labels, if there is one.
    label_values, voxel_mm
        See `mrviewer.database.DatabaseMapping`.
    """

    name: str
    channels: Mapping[str, Path]
    frames: Mapping[str, int] = field(default_factory=dict)
    label: Path | None = None
    label_values: Mapping[int, int] = field(default_factory=dict)
    voxel_mm: tuple[float, float, float] | None = None

    def __call__(self) -> Study:
        """Open the study; pixels of its images stay in their files until somebody looks at them.

        Raises
        ------
        InputError
            If a file is gone, or a label value has no class.
        FileFormatError
            If a file is damaged.
        """
        images = self._images()
        contents = None if self.label is None else open_contents(self.label, "labels")
        label = None if contents is None or self.label is None else _one_image(contents, self.label)
        grid = common_grid([image.geometry for image in images], preferred=None if label is None else label.geometry)
        kept, notes = _on_one_grid(images, grid)
        study = Study(self.name, kept, notes=tuple(notes))
        study = with_size_note(study) if self.voxel_mm is None else with_true_voxel_size(study, self.voxel_mm)
        if contents is None or label is None:
            return study
        first = next(iter(study.images.values()))
        reference, remarks = labels_of(contents, image_name(label), study.grid, first)
        values = map_labels(reference.volume(), self.label_values, self.name)
        return study.with_labels(replace(reference, data=values), *remarks)

    def _images(self) -> list[Image]:
        """Images by modality; a file that several share is opened once."""
        opened: dict[Path, FileContents] = {}
        images: list[Image] = []
        for modality, path in self.channels.items():
            if path not in opened:
                opened[path] = open_contents(path, modality)
            if modality in self.frames:
                series = _one_image(opened[path], path)
                frame = self.frames[modality]
                if not 0 <= frame < series.n_frames:
                    raise FileFormatError(
                        f"{path.name} holds {series.n_frames} volume(s) and {modality} should be number {frame + 1}; "
                        "check the description of the database"
                    )
                data = series.data if series.n_frames == 1 else FrameArray(series.data, frame)
                images.append(Image(data, series.geometry, modality, path))
            else:
                images += split_into_phases(opened[path]).images
        if not images:
            raise FileFormatError(f"subject {self.name} has no file that holds an image; leave it out")
        return images


def open_contents(path: Path, modality: str) -> FileContents:
    """Read what the header of a file says, by its format.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it cannot be opened.
    """
    if not path.exists():
        raise InputError(f"there is no file {shortened(plain(path.name))}; check its path in the database")
    with guarded(path.name, "database"):
        return FoundFile(path).read(modality)


def map_labels(values: NDArray[np.generic], classes: Mapping[int, int], name: str) -> NDArray[np.uint8]:
    """Classes of a method from the values of a file.

    Parameters
    ----------
    values : unsigned integers, (z, y, x)
        Labels, 0 is background.
    classes
        Class by value, see `DatabaseMapping.label_values`.
    name
        Of the subject, for the error.

    Returns
    -------
    uint8, (z, y, x)
        Read-only.

    Raises
    ------
    InputError
        If a value has no class, and the classes do not say that all foreground is one.
    """
    seen = np.unique(values)
    one_class = all(to == 1 for value, to in classes.items() if value > 0)
    mapped = np.zeros(values.shape, np.uint8)
    for value in (int(each) for each in seen):
        to = classes.get(value, 1 if one_class else None) if value else classes.get(0, 0)
        if to is None:
            named = ", ".join(map(str, sorted(classes)))
            raise InputError(
                f"the labels of {name} hold the value {value} and the mapping names {named}; add it to the mapping"
            )
        if to:
            mapped[values == value] = to
    mapped.setflags(write=False)
    return mapped


def _one_image(contents: FileContents, path: Path) -> Image:
    if len(contents.images) != 1:
        raise FileFormatError(f"{path.name} holds {len(contents.images)} images and one was expected; leave it out")
    return contents.images[0]


def _on_one_grid(images: Sequence[Image], grid: Geometry) -> tuple[dict[str, Image], list[Note]]:
    """Images that lie on a grid, and what has to be said of them and of the others."""
    laid = [(image, lay_over(image, grid)) for image in images]
    first = next((image for image, found in laid if found is not None), None)
    kept: dict[str, Image] = {}
    notes: list[Note] = []
    for image, found in laid:
        if found is not None and (first is None or image.shares_reference(first)):
            kept[image.modality] = found[0]
            notes += found[1]
    rest = " and ".join(kept)
    for image, found in laid:
        if found is not None and image.modality not in kept:
            said = f"{image.modality} lies in another frame of reference than {rest}; register it to use both"
            notes.append(left_out(said))
        elif found is None:
            reason = f"{image.modality} lies on another grid than {rest}; register it to use both"
            notes.append(left_out(why_unknown(image, grid, rest) or reason))
    return kept, notes
