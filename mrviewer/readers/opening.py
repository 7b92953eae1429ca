"""Opening a study: from the paths that a person gave to images on one grid, with reference labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mrviewer.errors import FileFormatError, InputError, PositionError
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import common_grid, image_name, lay_over, lie_together, why_unknown
from mrviewer.images.image_values import label_values
from mrviewer.images.voxel_size import with_size_note, with_true_voxel_size
from mrviewer.names.image_names import canonical_modality, free_name, guess_modality
from mrviewer.notes import Note, NoteKind, left_out, prefixed, without_prefix
from mrviewer.readers.contents import FileContents
from mrviewer.readers.found_file import FoundFile
from mrviewer.readers.label_files import labels_of
from mrviewer.readers.phases import split_into_phases
from mrviewer.readers.study_request import Candidate, StudyRequest, study_request
from mrviewer.study import Image, RawData, Study

__all__ = ["open_request", "open_study", "read_image", "read_labels", "read_with_notes", "study_of"]


def read_image(path: str | Path, modality: str | None = None) -> Image:
    """Open one image file; its pixels are read when somebody looks at them.

    Parameters
    ----------
    path
        A file of a format that opens here, e.g. ``.nii.gz``.
    modality
        ``FLAIR``, ``T1``, ...; guessed from the file name if `None`.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If the file is damaged, of no format that opens here, or holds no image.
    """
    return read_with_notes(path, modality)[0]


def read_with_notes(path: str | Path, modality: str | None = None) -> tuple[Image, tuple[str, ...]]:
    """Open one image file as `read_image` does, and say what the user should know of it."""
    path = Path(path)
    contents = _read(FoundFile(path), canonical_modality(modality) if modality else guess_modality(path))
    if len(contents.images) != 1:
        raise FileFormatError(
            f"{path.name} holds {len(contents.images)} images and one was expected; open it as a study"
        )
    return contents.images[0], contents.notes


def read_labels(
    path: str | Path, grid: Geometry, image: Image | None = None, *, voxel_for_voxel: bool = False
) -> tuple[Image, tuple[Note, ...]]:
    """Labels of a file on the grid of an image, with every note: see `mrviewer.readers.label_files.labels_of`.

    Raises
    ------
    InputError
        If there is no such file, or it and the image lie nowhere together.
    FileFormatError
        If the file is damaged or does not hold one volume of labels.
    """
    return _labels(FoundFile(Path(path)), grid, image, voxel_for_voxel=voxel_for_voxel)


def open_study(
    paths: str | Path | Sequence[str | Path],
    *,
    labels: str | Path | None = None,
    name: str | None = None,
    voxel_for_voxel: bool = False,
    voxel_mm: tuple[float, float, float] | None = None,
) -> Study:
    """Open one subject: its images by modality, and its reference labels.

    Parameters
    ----------
    paths
        Each a file, a file with its modality (``FLAIR=path``, ``labels=path``), or the folder of one subject, in which
        images and labels are known by their names. Among several files one that is named like labels is the labels.
    labels
        Reference segmentation. On another grid it is resampled to the nearest voxel, and a note says so.
    name
        What a person sees; by default the name of the first file or folder.
    voxel_for_voxel
        Whether to disregard the position of the labels where the matrices agree.
    voxel_mm : (z, y, x)
        True voxel size in place of that of the images; labels may lie on either grid.

    Returns
    -------
    The images that lie on the grid of the first one; `Study.notes` says what was left out, and why.

    Raises
    ------
    InputError
        If nothing was given or found, a modality was given twice, or labels and images lie nowhere together.
    FileFormatError
        If a file that was asked for cannot be opened.
    """
    request = study_request([paths] if isinstance(paths, str | Path) else paths, labels, name)
    return open_request(request, voxel_for_voxel=voxel_for_voxel, voxel_mm=voxel_mm)


def open_request(
    request: StudyRequest, *, voxel_for_voxel: bool = False, voxel_mm: tuple[float, float, float] | None = None
) -> Study:
    """Open the files of a request, which `mrviewer.readers.study_request.study_request` makes; see `open_study`."""
    opened, failures = _open_all(request.images)
    notes = [*request.notes, *failures]
    return study_of(request.name, opened, notes, request.labels, voxel_for_voxel=voxel_for_voxel, voxel_mm=voxel_mm)


def study_of(
    name: str,
    opened: Sequence[FileContents],
    notes: Sequence[str] = (),
    labels: Candidate | None = None,
    *,
    voxel_for_voxel: bool = False,
    voxel_mm: tuple[float, float, float] | None = None,
) -> Study:
    """Put together what files hold: images on the grid of the first, labels, raw data.

    Parameters
    ----------
    name
        What a person sees.
    opened
        The files, the first of them decides the grid; labels among their images become the reference.
    notes
        What else a person should know.
    labels
        File of the reference; it goes before labels among the images.
    voxel_for_voxel
        Whether to disregard the position of that file where the matrices agree.
    voxel_mm : (z, y, x)
        True voxel size in place of that of the images.

    Raises
    ------
    InputError
        If there is no image and no k-space, or labels that were asked for cannot be used.
    """
    opened, inside = _without_labels(opened)
    images, raw, clashes = _merge(opened)
    said = [*notes, *clashes, *_file_notes(opened, images)]
    study = Study(name, images, None, raw, tuple(said), files=_files(opened, images))
    study = with_size_note(study) if voxel_mm is None else with_true_voxel_size(study, voxel_mm)
    first = next(iter(images.values()), None)
    if labels is not None:
        reference, remarks = _open_labels(labels, study.grid, first, voxel_for_voxel=voxel_for_voxel)
        return study.with_labels(reference, *(note for note in remarks if without_prefix("labels", note) not in said))
    if inside and first is not None:
        # What their file says of them is among the notes of the files already.
        contents = FileContents((inside[0],))
        try:
            reference, remarks = labels_of(contents, image_name(inside[0]), study.grid, first)
        except InputError as error:
            # Nobody asked for them, and the images open without.
            return study.with_labels(None, left_out(f"labels among the images, {_why_refused(error)}"))
        return study.with_labels(reference, *remarks)
    return study


def _read(file: FoundFile, modality: str, axes: str = "") -> FileContents:
    """Read a file by its format, or an array by its axes."""
    if not axes:
        return _with_path(file.read(modality), file.path)
    from mrviewer.raw.arrays.array_layout import ArrayLayout
    from mrviewer.readers.arrays.numpy_array import read_array

    file.require_file()
    return _with_path(read_array(file.path, modality, ArrayLayout.parse(axes)), file.path)


def _with_path(contents: FileContents, path: Path) -> FileContents:
    """Contents of which each part says what file it comes from."""
    images = tuple(image if image.files else replace(image, parts=(path,)) for image in contents.images)
    return replace(contents, images=images, path=path)


def _files(opened: Sequence[FileContents], images: Mapping[str, Image]) -> dict[str, tuple[Path, ...]]:
    """Files of each modality."""
    raw = {data.modality: (part.path,) for part in opened for data in part.raw if part.path is not None}
    return {**raw, **{name: image.files for name, image in images.items()}}


def _open_all(candidates: Sequence[Candidate]) -> tuple[list[FileContents], list[str]]:
    """Open each file under a modality of its own; say which ones of a folder do not open."""
    opened: list[FileContents] = []
    notes: list[str] = []
    used: dict[str, str] = {}
    failure: InputError | None = None
    claims = Counter(candidate.modality for candidate in candidates)
    for candidate in candidates:
        name = candidate.file.path.name
        modality = free_name(candidate.modality, used)
        try:
            contents = split_into_phases(_read(candidate.file, modality, candidate.axes))
        except InputError as error:
            if candidate.is_asked_for:
                raise
            failure = error
            notes.append(left_out(str(error)))
            continue
        values = () if candidate.is_asked_for else _label_values(contents, claims[candidate.modality])
        if values:
            failure = InputError(
                f"{name} holds the values {', '.join(map(str, values))} alone, as labels do; "
                f"give it as labels={name}, or as {candidate.modality}={name} if it is an image"
            )
            notes.append(left_out(str(failure)))
            continue
        if modality != candidate.modality:
            said = f"two images are {candidate.modality}: {name} is called {modality} here"
            notes.append(Note(said, NoteKind.MODALITY))
        opened.append(contents)
        found = {*(image.modality for image in contents.images), *(raw.modality for raw in contents.raw)}
        used |= dict.fromkeys((modality, *found), name)
    if not opened and failure is not None:
        raise failure
    return opened, notes


def _label_values(contents: FileContents, n_claims: int) -> tuple[int, ...]:
    """Values of a file that was taken for an image by its name and holds a label map; empty for an image.

    Only files that store a byte for each voxel, as label maps do, are looked into, and those whose modality several
    files claim by their names.
    """
    if len(contents.images) != 1:
        return ()
    [image] = contents.images
    return label_values(image.volume()) if n_claims > 1 or image.data.dtype.itemsize == 1 else ()


def _without_labels(opened: Sequence[FileContents]) -> tuple[list[FileContents], list[Image]]:
    """Take labels out that came with the images, as a DICOM study brings them."""
    images = [replace(contents, images=tuple(_of_kind(contents, labels=False))) for contents in opened]
    return images, [image for contents in opened for image in _of_kind(contents, labels=True)]


def _of_kind(contents: FileContents, *, labels: bool) -> list[Image]:
    return [image for image in contents.images if (image.modality == "labels") == labels]


def _merge(opened: Sequence[FileContents]) -> tuple[dict[str, Image], dict[str, RawData], list[str]]:
    """Images on the grid of the first one, all raw data, and what does not fit."""
    images: dict[str, Image] = {}
    notes: list[str] = []
    raw = {data.modality: data for contents in opened for data in contents.raw}
    every = [image for contents in opened for image in contents.images]
    if not every:
        return {}, raw, []
    grid = _grid_of_first([image.geometry for image in every])
    for image in every:
        first = next(iter(images.values()), image)
        laid = lay_over(image, grid)
        if laid is not None and not image.shares_reference(first):
            said = f"{image.modality} lies in another frame of reference than {first.modality}"
            notes.append(left_out(f"{said}; register it to use both, or open it alone"))
        elif laid is not None:
            image, remarks = laid
            notes += remarks
            name = free_name(image.modality, images)
            if name != image.modality:
                said = f"two images are {image.modality}: the second is called {name} here"
                notes.append(Note(said, NoteKind.MODALITY))
            images[name] = image if name == image.modality else replace(image, modality=name)
        elif image.modality in raw:
            said = f"{image.modality} ({_grid(image)}) lies on another grid than {first.modality} ({_grid(first)})"
            notes.append(Note(f"{said}: it opens alone, where it is chosen as the modality", NoteKind.RAW_DATA))
        else:
            reason = why_unknown(image, grid, image_name(first)) or (
                f"{image.modality} ({_grid(image)}) lies on another grid than {first.modality} "
                f"({_grid(first)}); register it to use both, or open it alone"
            )
            notes.append(left_out(reason))
    return images, raw, notes


def _grid_of_first(grids: Sequence[Geometry]) -> Geometry:
    """Grid of the first image, or of a placed one that has its matrix where the first is not placed."""
    return common_grid([grid for grid in grids if lie_together(grid, grids[0])])


def _labels(
    file: FoundFile, grid: Geometry, image: Image | None, *, voxel_for_voxel: bool
) -> tuple[Image, tuple[Note, ...]]:
    return labels_of(_read(file, "labels"), file.path.name, grid, image, voxel_for_voxel=voxel_for_voxel)


def _open_labels(
    candidate: Candidate, grid: Geometry, image: Image | None, *, voxel_for_voxel: bool
) -> tuple[Image | None, tuple[str, ...]]:
    """Labels on the grid of an image; what was only found in a folder may fail."""
    try:
        return _labels(candidate.file, grid, image, voxel_for_voxel=voxel_for_voxel)
    except InputError as error:
        if candidate.is_asked_for:
            raise
        return None, (Note(f"labels left out: {_why_refused(error)}", NoteKind.LEFT_OUT),)


def _why_refused(error: InputError) -> str:
    """Why labels that nobody asked for are left out; who wants them anyway asks for them in the way of the program."""
    if isinstance(error, PositionError):
        return f"{error.reason}, or give them alone, voxel for voxel"
    return str(error)


def _file_notes(opened: Sequence[FileContents], images: Mapping[str, Image]) -> list[str]:
    """Notes of the files that are used: once where all say the same, else with the modality."""
    notes: list[str] = []
    used = [contents for contents in opened if contents.raw or any(i.modality in images for i in contents.images)]
    for contents in used:
        name = ", ".join(image.modality for image in contents.images)
        for note in contents.notes:
            shared = all(note in other.notes for other in used)
            notes.append(note if shared or not name else prefixed(name, note))
    return list(dict.fromkeys(notes))


def _grid(image: Image) -> str:
    sizes = " x ".join(map(str, image.geometry.shape))
    return f"{sizes} voxels of {' x '.join(f'{size:.2f}' for size in image.geometry.voxel_size_mm)} mm"
