"""Raw data of scanners that do not open are called what they are, with what would work."""

from pathlib import Path

import h5py
import pytest

from mrviewer.errors import FileFormatError
from mrviewer.readers import open_study


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("P12345.7", "P-file of a GE scanner.*ge_to_ismrmrd"),
        ("ScanArchive_LX1_20240102.h5", "ScanArchive of a GE scanner.*ge_to_ismrmrd"),
        ("20240102_t1.raw", "Philips.*philips_to_ismrmrd"),
        ("20240102_t1.LAB", "Philips.*philips_to_ismrmrd"),
        ("20240102_t1.sin", "Philips.*philips_to_ismrmrd"),
        ("raw_007.list", "Philips.*array"),
        ("raw_007.data", "Philips.*array"),
        ("fid", "Bruker.*bruker_to_ismrmrd"),
    ],
)
def test_raw_data_of_other_vendors_are_told_what_would_work(tmp_path: Path, name: str, words: str) -> None:
    path = tmp_path / name
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["DownloadData/packet"] = [1, 2, 3]
    else:
        path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(FileFormatError, match=f"{name} is called like .*{words}.*DICOM") as refusal:
        open_study(path)
    assert str(tmp_path) not in str(refusal.value)
