"""Siemens raw data (twix ``.dat``), through the library twixtools of the extra ``raw``.

The library prints warnings and trusts every length in a file, so that readouts are walked through here.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.stored_bytes import StoredBytes
from mrviewer.errors import FileFormatError, InputError, MrviewerError
from mrviewer.names.image_names import guess_modality
from mrviewer.raw.readouts.ismrmrd_header import Encoding, RawHeader, Space
from mrviewer.raw.readouts.placement import Placement
from mrviewer.raw.readouts.readouts import Purpose, ReadoutTable
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.scan_contents import scan_contents
from mrviewer.system.memory import require_memory

__all__ = ["read_twix"]

HEAD = 1 << 20
SMALLEST_READOUT = 128
MOST_READOUTS = 1 << 22
_BLOCK_BYTES = 2048
"""About what the library keeps of a readout, without its samples."""
_ADVICE = "export a part of the scan"
_THREE_DIMENSIONS = 4
_CARTESIAN = 1


@dataclass(frozen=True)
class TwixReader:
    """Samples in a file; see `mrviewer.raw.readouts.readouts.ReadoutReader`."""

    path: Path

    def read(self, rows: Sequence[int]) -> list[NDArray[np.complex64]]:
        """Samples ``(coil, sample)`` of some readouts."""
        blocks = _scan(self.path, self.path.stat().st_mtime_ns).blocks
        with _one_sentence(self.path):
            n_bytes = sum(int(blocks[row].dma_len) for row in rows)
            require_memory(n_bytes, f"{len(rows)} readouts of {self.path.name}", _ADVICE)
            return [np.asarray(np.atleast_2d(blocks[row].data), np.complex64) for row in rows]


@dataclass(frozen=True, eq=False)
class _TwixScan:
    """The last measurement of a file: its readouts as the library gives them, and its protocol."""

    blocks: Sequence[Any]
    protocol: Mapping[str, Any]


def read_twix(path: Path, modality: str) -> FileContents:
    """Open the last measurement of a file; samples stay in it until a slice is looked at.

    Raises
    ------
    InputError
        If there is no such file, or twixtools is not installed.
    FileFormatError
        If the file is damaged, no twix file, or not Cartesian.
    """
    head = StoredBytes.of(path).head(HEAD)
    if b"XProtocol" not in head and b"ASCCONV" not in head:
        raise FileFormatError(
            f"{path.name} is no raw data of a Siemens scanner, whatever its name says; check what it is"
        )
    scan = _scan(path, path.stat().st_mtime_ns)
    with _one_sentence(path):
        table = _table(scan.blocks)
        encoding = _encoding(scan.protocol, table, scan.blocks)
        title = str(scan.protocol.get("Dicom", {}).get("tProtocolName", ""))
    kind = modality if modality != "unknown" else guess_modality(title.replace("/", "_") or "unknown")
    return scan_contents(path.name, kind, table, TwixReader(path), RawHeader((encoding,)))


@lru_cache(maxsize=1)
def _scan(path: Path, changed: int) -> _TwixScan:
    del changed
    try:
        import twixtools
        from twixtools.mdb import Mdb
    except ImportError:
        raise InputError(
            f"{path.name} is raw data of a Siemens scanner, which open with the package twixtools; "
            'install it with pip install "mrviewer[raw]"'
        ) from None
    with _one_sentence(path), path.open("rb") as file:
        last = twixtools.read_twix(str(path), parse_data=False, parse_pmu=False, parse_geometry=False, verbose=False)[
            -1
        ]
        is_new = "raidfile_hdr" in last
        size = path.stat().st_size
        start, end = 0, size
        if is_new:
            start = int(last["raidfile_hdr"]["off_"])
            end = min(size, start + int(last["raidfile_hdr"]["len_"]))
        position = start + len(last["hdr_str"])
        blocks: list[Any] = []
        while position + SMALLEST_READOUT < end and len(blocks) < MOST_READOUTS:
            file.seek(position)
            block = Mdb(file, is_new)
            if block.is_flag_set("ACQEND"):
                break
            length = int(block.dma_len)
            if length < SMALLEST_READOUT or position + length > end:
                raise FileFormatError(
                    f"{path.name} is damaged or cut short: readout {len(blocks)} announces {length:,} bytes; "
                    "copy it again"
                )
            if not blocks:
                require_memory(
                    (end - position) // length * _BLOCK_BYTES, f"the list of readouts of {path.name}", _ADVICE
                )
            position += length
            if not block.is_flag_set("SYNCDATA"):
                blocks.append(block)
    if not blocks:
        raise FileFormatError(f"{path.name} holds no readouts, only a protocol; copy it again")
    return _TwixScan(blocks, last["hdr"])


def _table(blocks: Sequence[Any]) -> ReadoutTable:
    headers = [block.mdh for block in blocks]
    counters = [header.Counter for header in headers]
    before = _integers(header.CutOff.Pre for header in headers)
    behind = _integers(header.CutOff.Post for header in headers)
    samples = _integers(header.SamplesInScan for header in headers)
    return ReadoutTable(
        purpose=_integers(_purpose(block) for block in blocks),
        step_1=_integers(counter.Lin for counter in counters),
        step_2=_integers(counter.Par for counter in counters),
        slice_=_integers(counter.Sli for counter in counters),
        contrast=_integers(counter.Eco for counter in counters),
        phase=_integers(counter.Phs for counter in counters),
        repetition=_integers(counter.Rep for counter in counters),
        set_=_integers(counter.Set for counter in counters),
        n_samples=samples - before - behind,
        n_coils=_integers(header.UsedChannels for header in headers),
        before=before,
        behind=behind,
        center=_integers(header.CenterCol for header in headers) - before,
        reverse=np.array([block.is_flag_set("REFLECT") for block in blocks], bool),
        encoding=np.zeros(len(blocks), np.int64),
        dwell_us=np.zeros(len(blocks)),
        placement=_placement([header.SliceData for header in headers]),
    )


def _integers(values: Any) -> NDArray[np.int64]:  # noqa: ANN401  # counters of a C structure, of several types
    return np.fromiter((int(value) for value in values), np.int64)


def _purpose(block: Any) -> int:  # noqa: ANN401  # the library carries no types
    if block.is_flag_set("NOISEADJSCAN"):
        return Purpose.NOISE
    if block.is_flag_set("PATREFANDIMASCAN"):
        return Purpose.IMAGE_AND_CALIBRATION
    if block.is_flag_set("PATREFSCAN"):
        return Purpose.OTHER if block.is_flag_set("PHASCOR") else Purpose.CALIBRATION
    return Purpose.IMAGE if block.is_image_scan() else Purpose.OTHER


def _placement(slices: Sequence[Any]) -> Placement:
    """Position and normal of the slices; which ways rows and columns run depends on the sequence, and is left out."""
    w, x, y, z = np.array([[float(part) for part in data.Quaternion] for data in slices]).reshape(-1, 4).T
    directions = np.zeros((len(slices), 3, 3))
    # The normal is the third axis that the quaternion turns.
    directions[:, 2] = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    places = [data.SlicePos for data in slices]
    positions = np.array([[float(place.Sag), float(place.Cor), float(place.Tra)] for place in places]).reshape(-1, 3)
    return Placement(positions, directions)


def _encoding(protocol: Mapping[str, Any], table: ReadoutTable, blocks: Sequence[Any]) -> Encoding:
    """Matrix and field of view by the protocol, DC by the readouts of the image."""
    yaps = protocol["MeasYaps"]
    space, slice_ = yaps["sKSpace"], yaps["sSliceArray"]["asSlice"][0]
    rows = table.rows(Purpose.IMAGE, Purpose.IMAGE_AND_CALIBRATION)
    header = blocks[int(rows[0])].mdh if rows.size else blocks[0].mdh
    is_volume = int(space.get("ucDimension", 2)) == _THREE_DIMENSIONS
    centers = int(header.CenterLin), int(header.CenterPar) if is_volume else 0
    n_phases = _full(int(space["lPhaseEncodingLines"]), centers[0], table.step_1[rows])
    n_partitions = _full(int(space["lPartitions"]), centers[1], table.step_2[rows]) if is_volume else 1
    oversampling = float(protocol.get("Dicom", {}).get("flReadoutOSFactor") or 2)
    base = int(space["lBaseResolution"])
    read_mm, phase_mm = float(slice_["dReadoutFOV"]), float(slice_["dPhaseFOV"])
    depth_mm = float(slice_["dThickness"])
    return Encoding(
        encoded=Space(
            (round(base * oversampling), n_phases, n_partitions), (read_mm * oversampling, phase_mm, depth_mm)
        ),
        image=Space((base, n_phases, n_partitions), (read_mm, phase_mm, depth_mm)),
        center=centers,
        trajectory="cartesian" if int(space.get("ucTrajectory", _CARTESIAN)) == _CARTESIAN else "non-Cartesian",
    )


def _full(announced: int, center: int, steps: NDArray[np.int64]) -> int:
    """Encoding steps of a matrix with DC in the middle that holds all that was acquired."""
    last = int(steps.max(initial=0))
    return max(announced, 2 * max(center, last + 1 - center), 1)


@contextlib.contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """Keep the library from printing, and turn whatever it raises of a damaged file into one sentence."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except MrviewerError:
        raise
    except Exception as error:  # the library raises whatever numpy, struct and re do of wrong bytes
        reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise FileFormatError(f"{path.name} is damaged or cut short ({reason}); copy it again") from error
