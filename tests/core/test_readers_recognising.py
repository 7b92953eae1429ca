"""Files whose names promise another format are told by what they hold."""

import gzip
import zipfile
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest

from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.errors import FileFormatError, InputError
from mrviewer.readers import open_study


def write(path: Path, kind: str) -> Path:
    """Write a file of a kind under a name that says something else."""
    if kind == "NIfTI":
        nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), path.with_name("a.nii"))
        path.with_name("a.nii").rename(path)
    elif kind == "HDF5":
        with h5py.File(path, "w") as file:
            file["kspace"] = np.ones((1, 1, 4, 4), np.complex64)
    elif kind == "NumPy":
        with path.open("wb") as stream:
            np.save(stream, np.ones((4, 4)))
    else:
        path.write_bytes({"text": "Größe: 3 mm\n".encode() * 90, "DICOM": bytes(128) + b"DICM" + bytes(900)}[kind])
    return path


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("notes.nii.gz", "text", "is a text file"),
        ("scan.nii.gz", "DICOM", r"is a DICOM file.*\.dcm"),
        ("scan.npy", "HDF5", r"is an HDF5 file.*\.h5"),
        ("scan.h5", "NumPy", r"is a NumPy array.*\.npy"),
        ("scan.dcm", "NIfTI", r"is a NIfTI file.*\.nii"),
        ("scan.dat", "text", "scan.dat"),
        ("scan.xyz", "NIfTI", "is a NIfTI file"),
    ],
)
def test_a_wrong_name_is_told_by_the_content(tmp_path: Path, name: str, kind: str, words: str) -> None:
    with pytest.raises(FileFormatError, match=words) as refusal:
        open_study(write(tmp_path / name, kind))
    assert name in str(refusal.value)


@pytest.mark.parametrize("name", ["empty.dcm", "empty.zip", "empty.npy", "empty.nii.gz", "empty.pdf"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(FileFormatError, match="is an empty file"):
        open_study(tmp_path / name)


def test_a_zip_of_nothing_is_said_to_hold_nothing(tmp_path: Path) -> None:
    zipfile.ZipFile(tmp_path / "a.zip", "w").close()
    with pytest.raises(FileFormatError, match=r"a\.zip holds no DICOM file"):
        open_study(tmp_path / "a.zip")


def test_an_empty_folder_names_what_would_open(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"DICOM.*nii.*zip.*npy"):
        open_study(tmp_path)


def test_noise_is_called_nothing() -> None:
    noise = np.random.default_rng(1).integers(0, 256, BLOCK, np.uint8).tobytes()
    assert told_by_content(noise) == told_by_content(b"") == ""
    assert "gzip" in told_by_content(gzip.compress(b"a"))
    assert "text" in told_by_content("ä".encode() * 300 + b"\xc3")
