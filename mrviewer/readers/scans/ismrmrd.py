"""ISMRMRD HDF5: a group with ``xml`` and ``data``, one entry for each readout.

Source: Inati SJ et al. (2017), ISMRM Raw data format: a proposed standard for MRI raw datasets, Magn Reson Med
77:411-421, doi:10.1002/mrm.26089.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.hdf5_file import opened
from mrviewer.errors import FileFormatError
from mrviewer.names.image_names import guess_modality
from mrviewer.raw.readouts.ismrmrd_header import parse_header
from mrviewer.raw.readouts.placement import Placement
from mrviewer.raw.readouts.readouts import Purpose, ReadoutTable
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.scan_contents import scan_contents
from mrviewer.system.memory import require_memory

__all__ = ["group_of_readouts", "read_ismrmrd"]

_NOISE, _CALIBRATION, _CALIBRATION_AND_IMAGING, _REVERSE = 19, 20, 21, 22
_NO_IMAGE = (23, 24, 26, 27, 28, 29, 30, 31)
"""Numbers of the flags of readouts that are no part of an image: navigators, phase correction, feedback, ..."""
MOST_READOUTS = 1 << 22
_SAMPLE_BYTES = 8
_ADVICE = "convert a part of the scan"


@dataclass(frozen=True)
class IsmrmrdReader:
    """Samples in a file; see `mrviewer.raw.readouts.readouts.ReadoutReader`.

    Parameters
    ----------
    path, group
        The file, and the group of its readouts.
    """

    path: Path
    group: str

    def read(self, rows: Sequence[int]) -> list[NDArray[np.complex64]]:
        """Samples ``(coil, sample)`` of some readouts."""
        numbers = np.asarray(rows)
        order = np.argsort(numbers)
        ordered = numbers[order]
        is_run = ordered[-1] - ordered[0] + 1 == len(ordered)
        part = slice(int(ordered[0]), int(ordered[-1]) + 1) if is_run else ordered.tolist()
        with opened(self.path) as file:
            stored = file[self.group]["data"]
            heads = stored.fields("head")[part]
            n_values = int((heads["active_channels"].astype(np.int64) * heads["number_of_samples"]).sum())
            require_memory(n_values * _SAMPLE_BYTES, f"{len(numbers)} readouts of {self.path.name}", _ADVICE)
            samples = stored.fields("data")[part]
            shaped = [self._shaped(head, values) for head, values in zip(heads, samples, strict=True)]
        by_number = dict(zip(ordered.tolist(), shaped, strict=True))
        return [by_number[int(number)] for number in numbers]

    def _shaped(self, head: np.void, values: NDArray[np.float32]) -> NDArray[np.complex64]:
        n_coils, n_samples = int(head["active_channels"]), int(head["number_of_samples"])
        if len(values) != 2 * n_coils * n_samples:
            raise FileFormatError(
                f"a readout of {self.path.name} holds {len(values)} values and announces {n_coils} coils of "
                f"{n_samples} complex samples; convert the scan again"
            )
        return np.ascontiguousarray(values, np.float32).view(np.complex64).reshape(n_coils, n_samples)


def group_of_readouts(file: h5py.File) -> str | None:
    """Name of the first group that holds readouts; `None` if there is none."""
    for name in file:
        group = file.get(name)
        if isinstance(group, h5py.Group) and "xml" in group and "data" in group:
            fields = group["data"].dtype.names or ()
            if "head" in fields and "data" in fields:
                return str(name)
    return None


def read_ismrmrd(path: Path, modality: str, group: str) -> FileContents:
    """Open the readouts of one group; their samples stay in the file.

    Raises
    ------
    FileFormatError
        If the file is damaged, is not Cartesian, or header and data contradict each other.
    """
    with opened(path) as file:
        stored, text = file[group]["data"], file[group]["xml"][()]
        if not 0 < stored.size <= MOST_READOUTS:
            raise FileFormatError(
                f"{path.name} announces {stored.size:,} readouts; a scan has some thousand, check the file"
            )
        require_memory(stored.size * stored.dtype["head"].itemsize, f"the list of readouts of {path.name}", _ADVICE)
        heads = stored.fields("head")[...].ravel()
    header_text = np.asarray(text).ravel()[0]
    header = parse_header(header_text if isinstance(header_text, bytes) else str(header_text).encode(), path.name)
    kind = modality if modality != "unknown" else guess_modality(header.protocol)
    return scan_contents(path.name, kind, _table(heads), IsmrmrdReader(path, group), header)


def _table(heads: NDArray[np.void]) -> ReadoutTable:
    index = heads["idx"]
    before, behind = heads["discard_pre"].astype(np.int64), heads["discard_post"].astype(np.int64)
    n_samples = heads["number_of_samples"].astype(np.int64) - before - behind
    stored_center = heads["center_sample"].astype(np.int64)
    # Writers that leave the field empty mean the middle.
    center = np.where(stored_center > 0, stored_center - before, n_samples // 2)
    directions = np.stack([heads[f"{name}_dir"].astype(np.float64) for name in ("read", "phase", "slice")], axis=1)
    return ReadoutTable(
        purpose=_purposes(heads["flags"]),
        step_1=index["kspace_encode_step_1"].astype(np.int64),
        step_2=index["kspace_encode_step_2"].astype(np.int64),
        slice_=index["slice"].astype(np.int64),
        contrast=index["contrast"].astype(np.int64),
        phase=index["phase"].astype(np.int64),
        repetition=index["repetition"].astype(np.int64),
        set_=index["set"].astype(np.int64),
        n_samples=n_samples,
        n_coils=heads["active_channels"].astype(np.int64),
        before=before,
        behind=behind,
        center=center,
        reverse=_flagged(heads["flags"], _REVERSE),
        encoding=heads["encoding_space_ref"].astype(np.int64),
        dwell_us=heads["sample_time_us"].astype(np.float64),
        placement=Placement(heads["position"].astype(np.float64), directions),
    )


def _purposes(flags: NDArray[np.uint64]) -> NDArray[np.int64]:
    purposes = np.full(len(flags), int(Purpose.IMAGE), np.int64)
    purposes[_flagged(flags, _CALIBRATION_AND_IMAGING)] = Purpose.IMAGE_AND_CALIBRATION
    purposes[_flagged(flags, _CALIBRATION) & (purposes != Purpose.IMAGE_AND_CALIBRATION)] = Purpose.CALIBRATION
    for number in _NO_IMAGE:
        purposes[_flagged(flags, number)] = Purpose.OTHER
    purposes[_flagged(flags, _NOISE)] = Purpose.NOISE
    return purposes


def _flagged(flags: NDArray[np.uint64], number: int) -> NDArray[np.bool_]:
    """Whether a flag is set; flags are counted from 1."""
    flagged: NDArray[np.bool_] = (flags >> np.uint64(number - 1)) & np.uint64(1) != 0
    return flagged
