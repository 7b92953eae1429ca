"""The format of a file is decided once on the way to a study, by its name where that tells, else by what it holds."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from database_files import save_image, save_labels
from dicom_files import Series

from mrviewer.errors import FileFormatError, InputError
from mrviewer.readers import dicom, found_file, open_study
from mrviewer.readers.formats import DICOM
from mrviewer.readers.found_file import FoundFile


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the names of files and what they hold are looked at for a format."""
    counted: Counter[str] = Counter()

    def count(name: str, function: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def counting(path: Path) -> Any:  # noqa: ANN401
            counted[name] += 1
            return function(path)

        return counting

    monkeypatch.setattr(found_file, "format_named", count("name", found_file.format_named))
    monkeypatch.setattr(dicom, "is_dicom", count("content", dicom.is_dicom))
    return counted


def test_an_image_is_known_by_one_look_at_its_name(tmp_path: Path, asked: Counter[str]) -> None:
    open_study(save_image(tmp_path / "FLAIR.nii.gz"))
    assert asked == {"name": 1}


def test_each_file_of_a_subject_is_looked_at_once(tmp_path: Path, asked: Counter[str]) -> None:
    paths = [save_image(tmp_path / f"{name}.nii") for name in ("FLAIR", "T1")]
    save_labels(tmp_path / "lesion_mask.nii")
    assert set(open_study(tmp_path).modalities) == {"FLAIR", "T1"}
    assert asked == {"name": len(paths) + 1}


@pytest.mark.parametrize("is_folder", [True, False])
def test_dicom_is_known_by_one_look_at_what_it_holds(tmp_path: Path, asked: Counter[str], is_folder: bool) -> None:
    folder = Series().write(tmp_path / "study")
    open_study(folder if is_folder else folder / "IM0000")
    assert asked["content"] == 1
    assert asked["name"] == (not is_folder)


def test_a_folder_is_not_known_by_its_name(tmp_path: Path) -> None:
    folder = Series().write(tmp_path / "study.nii")
    assert FoundFile(folder).format is DICOM
    assert len(open_study(folder).images) == 1
    (tmp_path / "empty.dcm").mkdir()
    assert FoundFile(tmp_path / "empty.dcm").format is None
    with pytest.raises(InputError, match=r"empty.dcm is a folder and one image file was expected"):
        FoundFile(tmp_path / "empty.dcm").read("FLAIR")


def test_dicom_with_images_beside_it_opens_by_the_names_of_the_images(tmp_path: Path) -> None:
    folder = Series().write(tmp_path / "study")
    save_labels(folder / "lesion_mask.nii")
    assert FoundFile(folder).is_dicom_study
    save_image(folder / "FLAIR.nii")
    assert not FoundFile(folder).is_dicom_study
    assert FoundFile(folder).is_dicom


def test_what_is_not_there_or_of_no_format_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file gone.dcm; check the path"):
        FoundFile(tmp_path / "gone.dcm").read("FLAIR")
    path = tmp_path / "series.nrrd"
    path.write_bytes(json.dumps(np.arange(9).tolist()).encode())
    assert FoundFile(path).format is None
    with pytest.raises(FileFormatError, match=r"series.nrrd is of the format NRRD .*convert it with 3D Slicer"):
        FoundFile(path).read("FLAIR")
