"""Files: a DICOM series of 180 slices, from the folder to the array."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import harness
from benchmarks.harness import Row

N_SLICES = 180
MATRIX = 256


def rows() -> Iterator[Row]:
    """Compare with pydicom: read every file, sort by position, stack."""
    if reason := harness.missing("pydicom"):
        yield harness.skipped("DICOM series of 180 slices", peer="pydicom", target=0.6, reason=reason)
        return
    folder = Path(tempfile.mkdtemp(prefix="mrviewer-bench-"))
    try:
        _write_series(folder)
        same = np.array_equal(_ours(folder), _theirs(folder))
        note = f"synthetic, {MATRIX} x {MATRIX}, 120 elements a header; arrays are {'equal' if same else 'NOT equal'}"
        yield harness.pair(
            "DICOM series of 180 slices",
            lambda: _ours(folder),
            lambda: _theirs(folder),
            peer="pydicom",
            target=0.6,
            note=note,
        )
    finally:
        shutil.rmtree(folder)


def _ours(folder: Path) -> NDArray[np.generic]:
    from mrviewer.progress import finish
    from mrviewer.readers.dicom import list_series, read_series

    [series] = finish(list_series(folder))
    return np.asarray(read_series(series).images[0].data)


def _theirs(folder: Path) -> NDArray[np.generic]:
    """Slices from the top of the head on, as in our order."""
    import pydicom

    slices = [pydicom.dcmread(path) for path in folder.iterdir()]
    slices.sort(key=lambda one: -float(one.ImagePositionPatient[2]))
    return np.stack([one.pixel_array for one in slices])


def _write_series(folder: Path) -> None:
    """Write slices in no order, with headers as long as a scanner's."""
    import pydicom

    generator = np.random.default_rng(0)
    for number in generator.permutation(N_SLICES).tolist():
        dataset = _slice(number)
        dataset.PixelData = generator.integers(0, 1000, (MATRIX, MATRIX), dtype=np.uint16).tobytes()
        # Elements that a scanner writes and nobody here asks for.
        for element in range(90):
            dataset.add_new(0x00190100 + element, "LO", f"value {element}")
        pydicom.dcmwrite(folder / f"{generator.integers(1 << 30):09d}.dcm", dataset, enforce_file_format=True)


def _slice(number: int) -> "pydicom.Dataset":  # type: ignore[name-defined]  # noqa: F821
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{number + 1}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.10.2", "1.2.826.0.1.3680043.10.3"
    dataset.Modality, dataset.Manufacturer, dataset.SeriesDescription = "MR", "SIEMENS", "t1_mprage_sag"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "NORM"]
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.MRAcquisitionType = "GR", ["SK", "SP"], "3D"
    dataset.RepetitionTime, dataset.EchoTime, dataset.InversionTime, dataset.FlipAngle = 2300, 2.98, 900, 9
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 2, 1, number + 1
    dataset.ImagePositionPatient = [-128.0, -128.0, float(number)]
    dataset.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    dataset.PixelSpacing, dataset.SliceThickness = [1.0, 1.0], 1.0
    dataset.Rows = dataset.Columns = MATRIX
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    return dataset
