"""Nothing of the person leaves: planted names, ids and dates stay out of what is exported, written, logged and said."""

import logging
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
from planted_dicom import PLANTED_DATE, PLANTED_WORDS, DicomSeries, make_series
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from mrviewer import cli
from mrviewer.writers import write_volume
from mrviewer.writers.dicom.dicom_source import DicomSource, read_sources
from mrviewer.writers.dicom.privacy import Privacy, exported_header, new_uid

STUDY = "1.2.826.0.1.3680043.8.498.7"


@pytest.fixture
def planted(tmp_path: Path) -> DicomSeries:
    return make_series(tmp_path / "ZYXWV_Quentin", plant=True, study=STUDY)


@pytest.fixture
def source(planted: DicomSeries) -> DicomSource:
    return read_sources(planted.folder)[0]


def export(tmp_path: Path, planted: DicomSeries, source: DicomSource, *options: str) -> list[Path]:
    """A segmentation and a reconstruction of the planted study, by the commands."""
    labels = np.zeros(source.geometry.shape, np.uint8)
    labels[2, 3:5, 3:5] = 1
    mask = write_volume(tmp_path / "Zyxwv_mask.nii.gz", labels, source.geometry)
    where = ["--dicom", str(planted.folder)]
    seg = ["export-seg", "--segmentation", str(mask), *where, "--output", str(tmp_path / "seg.dcm")]
    images = ["export-dicom", "--error", str(mask), *where, "--output", str(tmp_path / "images")]
    assert cli.main([*seg, *options]) == 0
    assert cli.main([*images, *options]) == 0
    return [tmp_path / "seg.dcm", *sorted((tmp_path / "images").iterdir())]


def leaks(content: bytes) -> list[str]:
    return [word for word in (*PLANTED_WORDS, PLANTED_DATE, "030719") if word.encode() in content]


def test_the_planted_series_is_full_of_names(planted: DicomSeries) -> None:
    content = planted.files[0].read_bytes()
    assert set(leaks(content)) >= {"Zyxwv", "ZYXWV", "Quentin", PLANTED_DATE, "030719"}
    header = dcmread(planted.files[0])
    assert (
        len([one for one in header.iterall() if one.value and any(word in str(one.value) for word in PLANTED_WORDS)])
        > 100
    )


@pytest.mark.parametrize("options", [(), ("--new-uids",)])
def test_exports_are_anonymous_unless_asked(
    tmp_path: Path, planted: DicomSeries, source: DicomSource, options: tuple[str, ...]
) -> None:
    for path in export(tmp_path, planted, source, *options):
        assert leaks(path.read_bytes()) == []
        written = dcmread(path)
        assert written.PatientIdentityRemoved == "YES"
        assert re.fullmatch(r"ANON-[0-9A-F]{12}", written.PatientID)
        assert not [one for one in written.iterall() if one.tag.is_private]
        assert written.StudyDate == ""


def test_exports_of_a_study_stay_together(tmp_path: Path, planted: DicomSeries, source: DicomSource) -> None:
    written = [dcmread(path) for path in export(tmp_path, planted, source)]
    assert {one.StudyInstanceUID for one in written} == {STUDY}
    assert len({one.PatientID for one in written}) == 1
    assert {one.FrameOfReferenceUID for one in written} == {source.first.FrameOfReferenceUID}


def test_new_uids_belong_together_and_lead_nowhere(tmp_path: Path, planted: DicomSeries, source: DicomSource) -> None:
    paths = export(tmp_path, planted, source, "--new-uids")
    old = {str(source.first[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    old |= {str(plane.header.SOPInstanceUID) for plane in source.planes}
    written = [dcmread(path) for path in paths]
    for one in written:
        values = {str(element.value) for element in one.iterall() if element.VR == "UI"}
        assert not values & old
    assert {one.StudyInstanceUID for one in written} == {new_uid(STUDY)}
    assert len({one.FrameOfReferenceUID for one in written}) == 1


def test_identifiers_are_kept_when_asked(tmp_path: Path, planted: DicomSeries, source: DicomSource) -> None:
    for path in export(tmp_path, planted, source, "--keep-identifiers"):
        written = dcmread(path)
        assert str(written.PatientName) == "Zyxwv^Quentin"
        assert (written.PatientID, written.StudyDate) == ("Zyxwv 123", PLANTED_DATE)
        assert written.get("PatientIdentityRemoved") != "YES"
        assert not [one for one in written.iterall() if one.tag.is_private]


def test_letters_beyond_ascii_survive(planted: DicomSeries) -> None:
    header = dcmread(planted.files[0])
    header.PatientName = "Müller^Änne"
    header.save_as(planted.files[0])
    kept = exported_header(dcmread(planted.files[0]), Privacy(keep_identifiers=True))
    assert str(kept.PatientName) == "Müller^Änne"
    assert kept.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize("options", [(), ("--keep-identifiers",)])
def test_values_that_break_the_standard_are_neither_told_nor_fatal(
    tmp_path: Path, planted: DicomSeries, options: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """Warnings are errors here, and those of the libraries print the value."""
    for path in planted.files:
        header = dcmread(path)
        with disable_value_validation():
            header.PatientName, header.PatientSex, header.PatientAge = "Zyxwv Quentin", "Male", "44"
            header.PatientBirthDate, header.StudyDate, header.StudyTime = "19471399", "yesterday", "noon"
            header.AccessionNumber = "ZYXWV" * 8
            header.save_as(path)
    for path in export(tmp_path, planted, read_sources(planted.folder)[0], *options):
        written = dcmread(path)
        assert (written.PatientBirthDate, written.StudyDate, written.PatientSex) == ("", "", "")
        assert (str(written.PatientName) == "Zyxwv Quentin") == bool(options)
    said = capfd.readouterr()
    assert leaks((said.out + said.err).replace(str(tmp_path), "").encode()) == []


def test_words_pass_only_from_a_list() -> None:
    source = Dataset()
    source.SOPClassUID, source.StudyInstanceUID = "1.2.840.10008.5.1.4.1.1.4", STUDY
    source.ScanningSequence, source.SequenceVariant, source.MRAcquisitionType = ["SE", "IR"], ["SK", "JONES"], "3D"
    header = exported_header(source)
    assert list(header.ScanningSequence) == ["SE", "IR"]
    assert header.MRAcquisitionType == "3D"
    assert "SequenceVariant" not in header


def test_other_studies_get_other_pseudonyms() -> None:
    ids = set()
    for number in range(20):
        source = Dataset()
        source.SOPClassUID, source.StudyInstanceUID, source.PatientID = "1.2.3", f"{STUDY}.{number}", "same"
        ids.add(exported_header(source).PatientID)
    assert len(ids) == 20


def test_a_header_is_left_as_it_was(planted: DicomSeries) -> None:
    header = dcmread(planted.files[0])
    before = header.to_json()
    exported_header(header, Privacy(new_uids=True))
    assert header.to_json() == before


def test_a_name_in_a_nifti_header_goes_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A run writes volumes, tables and numbers; none of them, nor what is said or logged, knows the planted name."""
    values = np.random.default_rng(0).normal(300, 30, (24, 28, 3)).astype(np.float32)
    image = nibabel.Nifti1Image(values, np.diag([1, 1, 4, 1]))
    for field in ("descrip", "aux_file", "db_name", "intent_name"):
        image.header[field] = b"Zyxwv Quentin"
    extension = nibabel.nifti1.Nifti1Extension("comment", f"Zyxwv {PLANTED_DATE}".encode())
    image.header.extensions.append(extension)
    (tmp_path / "in").mkdir()
    nibabel.save(image, tmp_path / "in" / "FLAIR.nii.gz")
    given = ["FLAIR=" + str(tmp_path / "in" / "FLAIR.nii.gz"), "--mask", "random", "--method", "zero-filled", "--json"]
    with caplog.at_level(logging.DEBUG):
        assert cli.main(["reconstruct", *given, "--device", "cpu", "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert leaks((said.out + said.err + caplog.text).encode()) == []
    for path in (tmp_path / "out").iterdir():
        content = bytes(nibabel.load(path).to_bytes()) if path.name.endswith(".nii.gz") else path.read_bytes()
        assert leaks(content) == [], path.name
