"""From the readouts of a file to the images of a study: slices sorted, contrasts and repetitions told apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.whitening import noise_covariance, whitening_matrix
from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.raw.cartesian import KspaceSource
from mrviewer.raw.pattern import interpret
from mrviewer.raw.readouts.assembly import Grid, Readouts, grid_of
from mrviewer.raw.readouts.completeness import shortfalls
from mrviewer.raw.readouts.ismrmrd_header import Encoding, RawHeader
from mrviewer.raw.readouts.readout_kspace import ReadoutKspace, VolumeKspace
from mrviewer.raw.readouts.readouts import IntArray, Purpose, ReadoutReader, ReadoutTable
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.placed_contents import ReadoutStack, placed_contents
from mrviewer.readers.scans.raw_contents import require_sizes

__all__ = ["scan_contents"]

MOST_IMAGES = 16
_KEYS = ("echo", "phase", "repetition", "set")


@dataclass(frozen=True, eq=False)
class _Scan:
    """Readouts of a file, and what its header says."""

    readouts: Readouts
    encoding: Encoding
    grid: Grid
    calibration_grid: Grid


def scan_contents(
    name: str, modality: str, table: ReadoutTable, reader: ReadoutReader, header: RawHeader
) -> FileContents:
    """Raw data of a file of readouts.

    Parameters
    ----------
    name
        The file.
    modality
        Of the first image; further ones are numbered: ``T2 echo 2``.
    table, reader, header
        Places and samples of all readouts, and the header.

    Raises
    ------
    FileFormatError
        If there is no Cartesian image in it, or header and data contradict each other.
    """
    numbers = _encodings_of_images(table, header)
    if not numbers:
        raise FileFormatError(f"{name} holds no readout of an image, of {len(table)} in all; convert the scan again")
    parts: list[FileContents] = []
    notes: list[Note] = []
    for number in numbers:
        title = modality if number == numbers[0] else f"{modality} encoding {number + 1}"
        try:
            parts.append(_encoding_contents(name, title, table, reader, header, number))
        except FileFormatError as error:
            if len(numbers) == 1:
                raise
            notes.append(left_out(f"encoding {number + 1} of the file: {error}"))
    if not parts:
        raise FileFormatError(f"{name} has {len(numbers)} encodings and none opens: {notes[0]}")
    if len(numbers) > 1:
        notes.append(Note(_of_several(header, numbers), NoteKind.RAW_DATA))
    return FileContents(
        tuple(image for part in parts for image in part.images),
        tuple(raw for part in parts for raw in part.raw),
        tuple(dict.fromkeys([*(note for part in parts for note in part.notes), *notes])),
    )


def _encodings_of_images(table: ReadoutTable, header: RawHeader) -> list[int]:
    """Encodings of the header that have readouts of an image, the largest matrix first."""
    rows = table.rows(Purpose.IMAGE, Purpose.IMAGE_AND_CALIBRATION)
    numbers = [int(number) for number in np.unique(table.encoding[rows]) if number < len(header.encodings)]
    return sorted(numbers, key=lambda number: -math.prod(header.encodings[number].encoded.matrix))


def _of_several(header: RawHeader, numbers: Sequence[int]) -> str:
    sizes = [" x ".join(map(str, header.encodings[number].encoded.matrix)) for number in numbers]
    return (
        f"the file has {len(numbers)} encodings with images ({', '.join(sizes)} samples): each is an image of its own, "
        "the largest first"
    )


def _encoding_contents(
    name: str, modality: str, table: ReadoutTable, reader: ReadoutReader, header: RawHeader, number: int
) -> FileContents:
    """Images of one encoding of the header."""
    encoding = header.encodings[number]
    if encoding.trajectory != "cartesian":
        raise FileFormatError(_not_cartesian(name, encoding.trajectory))
    rows = table.rows(Purpose.IMAGE, Purpose.IMAGE_AND_CALIBRATION)
    rows = rows[table.encoding[rows] == number]
    grid = grid_of(encoding)
    readouts = Readouts(name, table, reader)
    require_sizes(name, (1, int(table.n_coils[rows[0]]), grid.n_phases, grid.n_samples))
    readouts.require_inside(rows, grid)
    remarks = [*_remarks(table, rows, grid), *shortfalls(table, rows, encoding)]
    notes = [Note(said, NoteKind.RAW_DATA) for said in remarks]
    whitening, said = _whitening(readouts, rows, header)
    notes += [Note(said, NoteKind.RAW_DATA)] if said else []
    scan = _Scan(Readouts(name, table, reader, whitening), encoding, grid, _calibration_grid(table, header, grid))
    images = _images(table, rows)
    if len(images) > MOST_IMAGES:
        cut = f"of {len(images)} contrasts and repetitions the first {MOST_IMAGES} are opened"
        notes.append(Note(cut, NoteKind.LEFT_OUT, len(images) - MOST_IMAGES))
    parts = [
        _image_contents(scan, title, chosen, notes)
        for title, chosen in zip(_titles(modality, table, images), images[:MOST_IMAGES], strict=False)
    ]
    return FileContents(
        tuple(image for part in parts for image in part.images),
        tuple(raw for part in parts for raw in part.raw),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _not_cartesian(name: str, trajectory: str) -> str:
    if trajectory == "epi":
        return (
            f"{name} was acquired by EPI, whose lines alternate in direction and are shifted against each other, and "
            "the phase correction by their navigators is not made here; reconstruct it with Gadgetron or on the "
            "scanner and open the images"
        )
    return (
        f"{name} was sampled on a trajectory that its header calls {trajectory}, and only Cartesian scans open; "
        "grid it to a Cartesian matrix first"
    )


def _calibration_grid(table: ReadoutTable, header: RawHeader, grid: Grid) -> Grid:
    """Grid of the calibration scan, by the encoding that its readouts name."""
    rows = table.rows(Purpose.CALIBRATION)
    numbers = table.encoding[rows[:1]]
    return grid_of(header.encodings[int(numbers[0])]) if numbers.size and numbers[0] < len(header.encodings) else grid


def _images(table: ReadoutTable, rows: IntArray) -> list[IntArray]:
    """Readouts of every image, told apart by contrast, phase, repetition and set."""
    keys, which = np.unique(table.image_keys(rows), axis=0, return_inverse=True)
    return [rows[which.ravel() == number] for number in range(len(keys))]


def _titles(modality: str, table: ReadoutTable, images: Sequence[IntArray]) -> list[str]:
    keys = np.stack([table.image_keys(rows[:1])[0] for rows in images])
    varies = np.ptp(keys, axis=0) > 0
    words = [
        " ".join(f"{name} {key + 1}" for name, key, told in zip(_KEYS, row, varies, strict=True) if told)
        for row in keys
    ]
    return [modality if number == 0 else f"{modality} {word}" for number, word in enumerate(words)]


def _image_contents(scan: _Scan, title: str, rows: IntArray, notes: Sequence[str]) -> FileContents:
    table, grid, name = scan.readouts.table, scan.grid, scan.readouts.name
    z, y, x = scan.encoding.voxel_size_mm
    if grid.n_partitions > 1:
        # One slab; a second one would be another volume.
        rows = rows[table.slice_[rows] == table.slice_[rows].min()]
        pattern = scan.readouts.pattern(rows, grid)
        along_readout = interpret(pattern).acquired is not None
        source: KspaceSource = VolumeKspace(scan.readouts, grid, rows, along_readout)
        stack = ReadoutStack(source, pattern, rows[:1].tolist(), (z, y, x), slice_axis=2 if along_readout else 0)
        return placed_contents(name, title, table.placement, stack, notes)
    slices = _slices(table, rows)
    patterns = [scan.readouts.pattern(part, grid)[0] for part in slices]
    pattern = np.repeat(np.logical_and.reduce(patterns)[:, None], grid.n_kept, axis=1)
    source = ReadoutKspace(scan.readouts, grid, slices, _calibrations(scan, slices), scan.calibration_grid)
    firsts = [int(part[0]) for part in slices]
    stack = ReadoutStack(source, pattern, firsts, (_slice_distance(table, slices) or z, y, x), is_flat=True)
    return placed_contents(name, title, table.placement, stack, notes)


def _slices(table: ReadoutTable, rows: IntArray) -> tuple[IntArray, ...]:
    """Readouts of every slice, in the order of the slices in space, or of their numbers where that is not known."""
    parts = [rows[table.slice_[rows] == number] for number in np.unique(table.slice_[rows])]
    if not table.placement.gaps_mm([int(part[0]) for part in parts]).size:
        return tuple(parts)
    return tuple(sorted(parts, key=lambda part: table.placement.along_slices(int(part[0]))))


def _slice_distance(table: ReadoutTable, slices: Sequence[IntArray]) -> float:
    """Distance of neighbouring slices in mm; 0 where positions do not tell."""
    gaps = table.placement.gaps_mm([int(rows[0]) for rows in slices])
    return float(np.median(gaps)) if gaps.size else 0.0


def _calibrations(scan: _Scan, slices: Sequence[IntArray]) -> tuple[IntArray, ...]:
    """Readouts of the calibration scan of every slice; empty where there is none that fits."""
    table = scan.readouts.table
    rows = table.rows(Purpose.CALIBRATION)
    rows = rows[(table.n_coils[rows] == table.n_coils[slices[0][0]]) & (table.contrast[rows] == 0)]
    if not rows.size:
        return ()
    scan.readouts.require_inside(rows, scan.calibration_grid)
    return tuple(rows[table.slice_[rows] == table.slice_[part[0]]] for part in slices)


def _whitening(readouts: Readouts, rows: IntArray, header: RawHeader) -> tuple[NDArray[np.complex64] | None, str]:
    """Matrix from the noise scan, if there is one that can be used, and what to say of it."""
    table = readouts.table
    noise_rows = table.rows(Purpose.NOISE)
    noise_rows = noise_rows[table.n_coils[noise_rows] == table.n_coils[rows[0]]]
    if not noise_rows.size:
        return None, ""
    noise = np.concatenate(readouts.reader.read(noise_rows.tolist()), axis=1)
    if noise.shape[1] <= noise.shape[0]:
        return None, "the noise scan has too few samples and is not used"
    dwell_noise, dwell = float(table.dwell_us[noise_rows[0]]), float(table.dwell_us[rows[0]])
    ratio = dwell_noise / dwell if dwell > 0 and dwell_noise > 0 else 1.0
    matrix = whitening_matrix(noise_covariance(noise), ratio / header.noise_bandwidth)
    if matrix is None:
        return None, "the noise scan determines no covariance of the coils and is not used"
    return matrix, "noise was whitened by the noise scan of the file: intensities are in units of its deviation"


def _remarks(table: ReadoutTable, rows: IntArray, grid: Grid) -> list[str]:
    notes = []
    if grid.n_kept < grid.n_samples:
        notes.append(f"readout oversampling was removed: {grid.n_samples} samples became {grid.n_kept}")
    if table.n_samples[rows].max() < grid.n_samples:
        notes.append(
            f"the echo is asymmetric: {table.n_samples[rows].max()} of {grid.n_samples} samples of a readout were "
            "acquired, the rest is zero"
        )
    keys = np.concatenate(
        [table.image_keys(rows), np.stack([table.slice_[rows], table.step_1[rows], table.step_2[rows]], axis=1)], axis=1
    )
    most = int(np.unique(keys, axis=0, return_counts=True)[1].max())
    if most > 1:
        notes.append(f"up to {most} readouts of the same place were averaged")
    if (calibration := table.rows(Purpose.CALIBRATION, Purpose.IMAGE_AND_CALIBRATION).size) > 0:
        notes.append(f"{calibration} readouts for parallel imaging determine the sensitivities of the coils")
    return notes
