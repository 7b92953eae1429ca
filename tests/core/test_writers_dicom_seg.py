"""A segmentation written as DICOM comes back as it was, on its series, with what is known of each lesion."""

import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pytest
from numpy.typing import NDArray
from planted_dicom import DicomSeries, make_series
from pydicom import dcmread

from mrviewer import cli
from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.names.dicom_terms import LesionKind, Region
from mrviewer.readers import open_study, read_image
from mrviewer.study import Image
from mrviewer.writers import write_volume
from mrviewer.writers.dicom.dicom_seg import SegmentTerms, write_dicom_seg
from mrviewer.writers.dicom.dicom_source import DicomSource, read_sources
from mrviewer.writers.dicom.lesion_labels import label_lesions
from mrviewer.writers.dicom.source_choice import SourceWish, find_source

needs_validator = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")


def labels_on(geometry: Geometry, values: tuple[int, ...] = (1, 2, 4)) -> Image:
    """Boxes of one value each, in slices that leave the outermost ones empty."""
    volume = np.zeros(geometry.shape, np.uint8)
    for index, value in enumerate(values):
        volume[1 + index % 3, 1 : 3 + index % 2, 3 * index + 1 : 3 * index + 3] = value
    return Image(volume, geometry, "labels")


def read_back(path: Path, source: DicomSource) -> NDArray[np.uint8]:
    """Labels in internal order, as another program reads them: frame by frame, through the source images."""
    seg = highdicom.seg.segread(path)
    uids = [plane.header.SOPInstanceUID for plane in source.planes]
    stored = seg.get_pixels_by_source_instance(uids, combine_segments=True)
    number_to_value = np.zeros(seg.number_of_segments + 1, np.uint8)
    for number in seg.segment_numbers:
        number_to_value[number] = int(seg.get_segment_description(number).tracking_id.removeprefix("label "))
    return np.asarray(source.geometry.to_internal(number_to_value[stored].T))


def complaints(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]


@pytest.mark.parametrize("values", [(1,), (1, 2, 3), (1, 2, 4), (7, 3)])
def test_labels_come_back_as_they_were(tmp_path: Path, source: DicomSource, values: tuple[int, ...]) -> None:
    labels = labels_on(source.geometry, values)
    written = write_dicom_seg(tmp_path / "seg.dcm", labels, source)
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm", source), labels.volume())
    assert written.labels == tuple(f"Lesion {value}" for value in sorted(values))
    assert written.note == ""


def test_a_segmentation_belongs_to_its_study_and_lies_where_its_images_lie(tmp_path: Path, source: DicomSource) -> None:
    write_dicom_seg(tmp_path / "seg.dcm", labels_on(source.geometry), source)
    seg, first = highdicom.seg.segread(tmp_path / "seg.dcm"), source.first
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (first.StudyInstanceUID, first.FrameOfReferenceUID)
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == first.SeriesInstanceUID
    by_uid = {plane.header.SOPInstanceUID: plane for plane in source.planes}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        reference = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        position = [float(value) for value in frame.PlanePositionSequence[0].ImagePositionPatient]
        np.testing.assert_allclose(position, by_uid[reference].position_mm, atol=1e-6)
    shared = seg.SharedFunctionalGroupsSequence[0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.8594, 0.4297]
    np.testing.assert_allclose(float(shared.PixelMeasuresSequence[0].SpacingBetweenSlices), 6.5, atol=1e-3)


def test_segments_say_what_they_are(tmp_path: Path, source: DicomSource) -> None:
    terms = SegmentTerms(LesionKind.PLAQUE, Region.BRAIN, {2: "Big one"}, "multiunet")
    labels = labels_on(source.geometry, (1, 2))
    write_dicom_seg(tmp_path / "seg.dcm", labels, source, terms=terms)
    first, second = dcmread(tmp_path / "seg.dcm").SegmentSequence
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "32693004"
    assert first.AnatomicRegionSequence[0].CodeMeaning == "Brain"
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == ("AUTOMATIC", "multiunet")
    assert (first.SegmentLabel, second.SegmentLabel) == ("Demyelination 1", "Big one")
    assert first.RecommendedDisplayCIELabValue != second.RecommendedDisplayCIELabValue
    n_voxels = np.count_nonzero(labels.volume() == 1)
    assert first.SegmentDescription == f"{n_voxels * source.geometry.voxel_volume_ml:.3f} ml"


def test_what_a_person_drew_is_manual(tmp_path: Path, source: DicomSource) -> None:
    write_dicom_seg(tmp_path / "seg.dcm", labels_on(source.geometry), source, terms=SegmentTerms(algorithm=None))
    segment = dcmread(tmp_path / "seg.dcm").SegmentSequence[0]
    assert segment.SegmentAlgorithmType == "MANUAL"
    assert "SegmentAlgorithmName" not in segment


def test_lesions_carry_what_became_of_them(tmp_path: Path, source: DicomSource) -> None:
    truth = labels_on(source.geometry, (1, 1))
    guess = np.asarray(truth.volume()).copy()
    guess[2] = 0
    guess[3, 5:, 7:] = 1
    lesions = label_lesions(Image(guess, source.geometry, "labels"), truth)
    written = write_dicom_seg(tmp_path / "seg.dcm", lesions.image, source, lesions=lesions.rows)
    found = next(row for row in lesions.rows if row.status == "found")
    assert written.labels == (f"Lesion {found.id} (found)", "Lesion 3 (false)")
    assert f"reference {found.volume_ml:.3f} ml, Dice 1.000" in written.descriptions[0]
    assert "touches no lesion" in written.descriptions[1]
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm", source) > 0, guess > 0)


def test_a_mask_is_split_into_lesions_and_classes_are_kept(source: DicomSource) -> None:
    mask = labels_on(source.geometry, (1, 1, 1))
    split = label_lesions(mask).image.volume()
    assert split.max() == 3
    np.testing.assert_array_equal(split > 0, mask.volume() > 0)
    classes = labels_on(source.geometry, (1, 2, 4))
    np.testing.assert_array_equal(label_lesions(classes).image.volume(), classes.volume())


def test_another_grid_is_resampled_and_said_so(tmp_path: Path, source: DicomSource) -> None:
    grid = source.geometry
    fine = Geometry(
        (grid.shape[0], grid.shape[1] * 2, grid.shape[2] * 2), grid.affine @ np.diag([1, 0.5, 0.5, 1]), grid.to_stored
    )
    coarse = labels_on(grid, (1,)).volume()
    labels = Image(np.repeat(np.repeat(coarse, 2, 1), 2, 2), fine, "labels")
    written = write_dicom_seg(tmp_path / "seg.dcm", labels, source)
    assert "resampled" in written.note


def test_labels_that_would_be_lost_are_refused(tmp_path: Path, source: DicomSource) -> None:
    grid = source.geometry
    longer = Geometry((grid.shape[0] + 3, *grid.shape[1:]), grid.affine, grid.to_stored)
    labels = labels_on(longer, (1, 2))
    volume = np.asarray(labels.volume()).copy()
    written = write_dicom_seg(tmp_path / "seg.dcm", labels, source)
    assert "resampled" in written.note
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm", source), volume[: grid.shape[0]])
    (tmp_path / "seg.dcm").unlink()
    volume[grid.shape[0], 2, 3] = 2
    n_all = np.count_nonzero(volume)
    with pytest.raises(ShapeError, match=rf"1 of {n_all} labelled voxels .* lie outside of the slices of series 3"):
        write_dicom_seg(tmp_path / "seg.dcm", Image(volume, longer, "labels"), source)
    assert not list(tmp_path.glob("seg*"))


def test_a_lesion_between_two_voxels_is_not_dropped(tmp_path: Path, source: DicomSource) -> None:
    grid = source.geometry
    fine = Geometry(
        (grid.shape[0], grid.shape[1] * 4, grid.shape[2] * 4), grid.affine @ np.diag([1, 0.25, 0.25, 1]), grid.to_stored
    )
    labels = np.zeros(fine.shape, np.uint8)
    labels[2, 4:20, 4:20], labels[3, 6, 6] = 1, 2
    with pytest.raises(ShapeError, match=r"1 labels \(first 2\) are too small for a voxel of series 3"):
        write_dicom_seg(tmp_path / "seg.dcm", Image(labels, fine, "labels"), source)
    assert not (tmp_path / "seg.dcm").exists()


def test_what_cannot_be_a_segmentation_is_refused(tmp_path: Path, source: DicomSource) -> None:
    empty = Image(np.zeros(source.geometry.shape, np.uint8), source.geometry, "labels")
    with pytest.raises(InputError, match="holds 0 labels on series 3"):
        write_dicom_seg(tmp_path / "seg.dcm", empty, source)
    elsewhere = Geometry.axial((4, 4, 4), (1.0, 1.0, 1.0))
    far = Geometry(elsewhere.shape, elsewhere.affine + np.array([[0, 0, 0, 9e3]] * 3 + [[0] * 4]), elsewhere.to_stored)
    with pytest.raises(ShapeError):
        write_dicom_seg(tmp_path / "seg.dcm", Image(np.ones((4, 4, 4), np.uint8), far, "labels"), source)
    assert not (tmp_path / "seg.dcm").exists()


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match="holds no DICOM file that opens"):
        read_sources(tmp_path)
    with pytest.raises(InputError, match="nowhere"):
        read_sources(tmp_path / "nowhere")


def test_a_missing_slice_is_refused(tmp_path: Path) -> None:
    series = make_series(tmp_path / "long", (12, 8, 10))
    series.files[4].unlink()
    source = read_sources(series.folder)[0]
    with pytest.raises(InputError, match="series 3 misses slices"):
        write_dicom_seg(tmp_path / "seg.dcm", labels_on(source.geometry), source)


def test_the_command_writes_a_segmentation(
    tmp_path: Path, series: DicomSeries, source: DicomSource, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = labels_on(source.geometry, (1, 1))
    mask = write_volume(tmp_path / "mask.nii.gz", labels.volume(), source.geometry)
    given = ["--segmentation", str(mask), "--dicom", str(series.folder), "--output", str(tmp_path / "seg.dcm")]
    assert cli.main(["export-seg", *given, "--kind", "infarct", "--region", "brain"]) == 0
    assert "2 segments on series 3" in capsys.readouterr().err
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm", source) > 0, labels.volume() > 0)
    assert cli.main(["export-seg", *given, "--kind", "wart"]) == 2
    assert cli.main(["export-seg", *given, "--keep-identifiers", "--new-uids"]) == 2


@needs_validator
@pytest.mark.parametrize("kind", list(LesionKind))
def test_a_validator_finds_no_error(tmp_path: Path, source: DicomSource, kind: LesionKind) -> None:
    write_dicom_seg(tmp_path / "seg.dcm", labels_on(source.geometry), source, terms=SegmentTerms(kind, Region.BRAIN))
    assert complaints(tmp_path / "seg.dcm") == []


def test_a_real_tumour_comes_back(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "glioma_pgbm006_ge"
    mask = read_image(folder / "derived" / "tumor_mask_on_dicom_grid_512.nii.gz", "labels")
    source = find_source(folder / "dicom", SourceWish(mask.geometry))
    lesions = label_lesions(mask)
    write_dicom_seg(tmp_path / "seg.dcm", lesions.image, source)
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm", source), lesions.image.volume())
    # The published position of the mask, by another way than through the source images.
    seg = highdicom.seg.segread(tmp_path / "seg.dcm").get_volume(combine_segments=True)
    inside = np.argwhere(seg.array > 0)
    lps = (seg.affine @ np.c_[inside, np.ones(len(inside))].T)[:3].T
    ras = lps * [-1, -1, 1]
    index = np.linalg.inv(mask.geometry.affine) @ np.c_[ras, np.ones(len(ras))].T
    assert np.asarray(mask.volume())[tuple(np.rint(index[:3]).astype(int))].all()
    assert len(inside) == np.count_nonzero(mask.volume())


@pytest.mark.parametrize(
    "name",
    [
        "philips_fieldmap_enhanced",
        "siemens_xa10_enhanced_phantom",
        "siemens_mosaic_epi",
        "uih_vframe_dti",
        "toshiba_dti_b0_oblique",
    ],
)
def test_files_of_every_kind_get_segments_that_open_again(shared_data: Path, tmp_path: Path, name: str) -> None:
    folder = shared_data / "dicom_vendors" / name
    source = read_sources(folder)[0]
    labels = np.zeros(source.geometry.shape, np.uint8)
    labels[tuple(slice(size // 2, size // 2 + 2) for size in labels.shape)] = 1
    labels[tuple(slice(size // 3, size // 3 + 1) for size in labels.shape)] = 2
    write_dicom_seg(tmp_path / "seg.dcm", Image(labels, source.geometry, "labels"), source)
    study = open_study([folder], labels=tmp_path / "seg.dcm")
    assert study.labels is not None
    np.testing.assert_array_equal(study.labels.volume(), labels)
    seg = dcmread(tmp_path / "seg.dcm")
    referenced = {item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert referenced == {plane.header.SOPInstanceUID for plane in source.planes}
    if shutil.which("dciodvfy"):
        assert complaints(tmp_path / "seg.dcm") == []


def test_frames_of_an_enhanced_file_are_referred_to_by_number(shared_data: Path, tmp_path: Path) -> None:
    source = read_sources(shared_data / "dicom_vendors" / "philips_fieldmap_enhanced")[0]
    labels = np.zeros(source.geometry.shape, np.uint8)
    labels[tuple(size // 2 for size in labels.shape)] = 1
    write_dicom_seg(tmp_path / "seg.dcm", Image(labels, source.geometry, "labels"), source)
    (frame,) = dcmread(tmp_path / "seg.dcm").PerFrameFunctionalGroupsSequence
    reference = frame.DerivationImageSequence[0].SourceImageSequence[0]
    plane = next(one for one in source.planes if one.frame == reference.ReferencedFrameNumber)
    position = [float(value) for value in frame.PlanePositionSequence[0].ImagePositionPatient]
    np.testing.assert_allclose(position, plane.position_mm, atol=1e-4)
