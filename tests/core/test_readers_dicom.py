"""DICOM series: what belongs together, in which order, where it lies, and which values it has."""

import itertools
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import AXIAL, ROOT, Series, enhanced, set_pixels, write_dataset
from numpy.typing import NDArray
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from mrviewer.errors import FileFormatError, InputError
from mrviewer.progress import finish
from mrviewer.readers import open_study, read_image
from mrviewer.readers.dicom import SeriesEntry, list_series, read_series, read_slice, thumbnail
from mrviewer.study import Image
from mrviewer.writers.dicom.dicom_seg import write_dicom_seg
from mrviewer.writers.dicom.dicom_source import read_sources

TILTED = (0.96, 0.28, 0.0, -0.168, 0.576, 0.8)


def the_series(path: Path) -> SeriesEntry:
    [entry] = finish(list_series(path))
    return entry


def values(entry: SeriesEntry, volume: int = 0) -> NDArray[np.generic]:
    return np.asarray(read_series(entry, volume).images[0].data)


def top_down(series: Series) -> NDArray[np.uint16]:
    """Axial slices in internal order: the top of the head first."""
    return series.values[::-1]


@pytest.mark.parametrize("orientation", [AXIAL, (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), TILTED])
def test_each_voxel_lies_where_its_slice_says(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    series = Series(orientation=orientation)
    np.random.default_rng(1).shuffle(series.slices)  # type: ignore[arg-type]
    image = read_series(the_series(series.write(tmp_path))).images[0]
    array = np.asarray(image.data)
    inverse = np.linalg.inv(image.geometry.affine)
    for dataset in series.slices:
        plane = np.frombuffer(dataset.PixelData, np.uint16).reshape(series.shape)
        for row, column in ((0, 0), (5, 3), (2, 1)):
            position = np.array(dataset.ImagePositionPatient, float)
            position += np.array(orientation[:3]) * column * 1.5 + np.array(orientation[3:]) * row * 2.0
            index = inverse @ (*(position * (-1, -1, 1)), 1)
            z, y, x = np.rint(index[:3]).astype(int)
            assert np.allclose(index[:3], (z, y, x), atol=1e-4)
            assert array[z, y, x] == plane[row, column]


def test_an_entry_says_what_a_person_chooses_by(tmp_path: Path) -> None:
    entry = the_series(Series().write(tmp_path / "deep" / "er").parents[1])
    assert (entry.modality, entry.matrix, entry.n_slices, entry.n_frames) == ("FLAIR", (6, 4), 5, 1)
    assert entry.voxel_size_mm == pytest.approx((3, 2, 1.5))
    assert entry.title == "3: t2_flair (FLAIR)"
    assert entry.refusal == ""


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_encoding_gives_equal_pixels(tmp_path: Path, syntax: str) -> None:
    series = Series()
    for dataset in series.slices:
        if syntax == ExplicitVRBigEndian:
            swapped = np.frombuffer(dataset.PixelData, "<u2").astype(">u2")
            dataset.PixelData = swapped.tobytes()
            dataset["PixelData"].VR = "OW"
    assert np.array_equal(values(the_series(series.write(tmp_path, syntax))), top_down(series))


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_pixels_are_equal(tmp_path: Path, syntax: str) -> None:
    series = Series(shape=(16, 16))
    for number, dataset in enumerate(series.slices):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    assert np.array_equal(values(the_series(tmp_path)), top_down(series))


def test_sequences_of_any_length_are_stepped_over(tmp_path: Path) -> None:
    series = Series()
    for dataset in series.slices:
        inner = pydicom.Dataset()
        inner.CodeValue = "1"
        inner.PurposeOfReferenceCodeSequence = pydicom.Sequence([pydicom.Dataset()])
        inner["PurposeOfReferenceCodeSequence"].is_undefined_length = True
        inner.is_undefined_length_sequence_item = True
        dataset.ReferencedImageSequence = pydicom.Sequence([inner, pydicom.Dataset()])
        dataset["ReferencedImageSequence"].is_undefined_length = True
    assert np.array_equal(values(the_series(series.write(tmp_path))), top_down(series))


def test_each_slice_has_a_scaling_of_its_own(tmp_path: Path) -> None:
    series = Series()
    for number, dataset in enumerate(series.slices):
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + number / 4, -number
    expected = [plane * (1 + number / 4) - number for number, plane in enumerate(series.values)]
    found = values(the_series(series.write(tmp_path)))
    assert found.dtype == np.float32
    assert np.allclose(found, np.array(expected[::-1], np.float32))


def test_bits_that_do_not_count_are_cleared(tmp_path: Path) -> None:
    series = Series(n_slices=1)
    dirty = series.values[0] | np.uint16(0xF000)
    set_pixels(series.slices[0], dirty)
    assert np.array_equal(values(the_series(series.write(tmp_path)))[0], series.values[0])


def test_the_sign_is_extended_into_bits_that_do_not_count(tmp_path: Path) -> None:
    series = Series(n_slices=1)
    signed = series.values[0].astype(np.int16) - 2000
    set_pixels(series.slices[0], signed & np.int16(0x0FFF))
    assert np.array_equal(values(the_series(series.write(tmp_path)))[0], signed)


def test_inverted_pictures_are_turned_bright_side_up(tmp_path: Path) -> None:
    series = Series(n_slices=2)
    for dataset in series.slices:
        dataset.PhotometricInterpretation = "MONOCHROME1"
    entry = the_series(series.write(tmp_path))
    assert np.array_equal(values(entry), 4095 - top_down(series))
    assert "MONOCHROME1" in " ".join(entry.notes)


def test_a_missing_slice_is_named_and_left_empty(tmp_path: Path) -> None:
    series = Series(n_slices=10)
    del series.slices[3]
    contents = read_series(the_series(series.write(tmp_path)))
    array = np.asarray(contents.images[0].data)
    assert not array[10 - 1 - 3].any()
    assert np.array_equal(np.delete(array, 6, axis=0), np.delete(top_down(series), 6, axis=0))
    assert contents.images[0].missing == (6,)
    assert "slice 6 (of 0 to 9, counted from the head as the slider does) is missing" in " ".join(contents.notes)


@pytest.mark.parametrize("orientation", [AXIAL, (1, 0, 0, 0, -1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), TILTED])
def test_missing_slices_are_counted_as_the_slider_counts_them(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    series = Series(n_slices=9, orientation=orientation)
    for place in (6, 1):
        del series.slices[place]
    contents = read_series(the_series(series.write(tmp_path)))
    [image] = contents.images
    axis = image.geometry.shape.index(9)
    stack = np.moveaxis(np.asarray(image.data), axis, 0)
    empty = [index for index, plane in enumerate(stack) if not plane.any()]
    assert f"slices {empty[0]}, {empty[1]} (of 0 to 8, counted from" in " ".join(contents.notes)
    is_cut = axis == image.geometry.slice_axis
    assert image.missing == (tuple(empty) if is_cut else ())
    assert ("slider" in " ".join(contents.notes)) == is_cut


def test_every_second_slice_is_a_volume_of_thicker_steps(tmp_path: Path) -> None:
    series = Series(n_slices=9)
    del series.slices[1::2]
    entry = the_series(series.write(tmp_path))
    assert entry.n_slices == 5
    assert entry.voxel_size_mm[0] == pytest.approx(6)


@pytest.mark.parametrize(("heights", "fault"), [((0, 3, 6, 10, 13), "apart"), ((0, 1, 2, 3, 9), "lacks 5 of 10")])
def test_uneven_steps_are_refused(tmp_path: Path, heights: tuple[float, ...], fault: str) -> None:
    series = Series()
    for dataset, height in zip(series.slices, heights, strict=True):
        dataset.ImagePositionPatient = [0, 0, height]
    entry = the_series(series.write(tmp_path))
    assert fault in entry.refusal
    with pytest.raises(FileFormatError, match=fault):
        read_series(entry)


def test_slices_shifted_sideways_keep_their_places(tmp_path: Path) -> None:
    series = Series()
    for number, dataset in enumerate(series.slices):
        dataset.ImagePositionPatient = [-10, -20 + number, 30 + 3 * number]
    contents = read_series(the_series(series.write(tmp_path)))
    geometry = contents.images[0].geometry
    assert geometry.is_sheared
    assert np.allclose(geometry.to_mm(np.array([4.0, 0, 0])), (10, 20, 30))
    assert np.allclose(geometry.to_mm(np.array([0.0, 0, 0])), (10, 16, 42))
    assert "tilted gantry" in " ".join(contents.notes)


def test_of_two_slices_at_one_place_the_first_is_kept(tmp_path: Path) -> None:
    series = Series(n_slices=6)
    series.slices[5].ImagePositionPatient = series.slices[2].ImagePositionPatient
    contents = read_series(the_series(series.write(tmp_path)))
    assert np.array_equal(contents.images[0].data, top_down(series)[1:])
    assert "IM0005" in " ".join(contents.notes)


def test_the_same_image_twice_counts_once(tmp_path: Path) -> None:
    series = Series()
    series.write(tmp_path / "a")
    entry = the_series(series.write(tmp_path / "b").parent)
    assert np.array_equal(values(entry), top_down(series))
    assert "5 copies" in " ".join(entry.notes)


@pytest.mark.parametrize("key", ["TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime", "InstanceNumber"])
def test_repetitions_become_frames_in_the_order_of_time(tmp_path: Path, key: str) -> None:
    repetitions = [Series(seed=seed) for seed in range(3)]
    for time, series in enumerate(repetitions):
        for number, dataset in enumerate(series.slices):
            dataset.SOPInstanceUID = f"{ROOT}.2.{time}.{number}"
            setattr(dataset, key, (10 if key == "InstanceNumber" else 1) * (time + 1))
        # Later files come first.
        series.write(tmp_path / str(9 - time))
    found = values(the_series(tmp_path))
    assert np.array_equal(found, [top_down(series) for series in repetitions])


def test_an_incomplete_last_repetition_is_left_out(tmp_path: Path) -> None:
    for time in range(3):
        series = Series(seed=time)
        for number, dataset in enumerate(series.slices):
            dataset.SOPInstanceUID, dataset.TemporalPositionIdentifier = f"{ROOT}.2.{time}.{number}", time + 1
        del series.slices[2 if time == 2 else 5 :]
        series.write(tmp_path / str(time))
    contents = read_series(the_series(tmp_path))
    assert contents.images[0].n_frames == 2
    assert "1 incomplete of 3 repetitions" in " ".join(contents.notes)


def test_echoes_and_phases_are_volumes_to_choose_from(tmp_path: Path) -> None:
    written = {}
    for echo, component in itertools.product((5, 10), ("M", "P")):
        series = Series(seed=echo + (component == "P"))
        for number, dataset in enumerate(series.slices):
            dataset.EchoTime, dataset.ImageType = echo, ["ORIGINAL", "PRIMARY", component]
            dataset.SOPInstanceUID = f"{ROOT}.2.{echo}.{ord(component)}.{number}"
        series.write(tmp_path / f"{echo}{component}")
        written[echo, component] = top_down(series)
    entry = the_series(tmp_path)
    assert entry.volumes == ("magnitude, echo 5 ms", "magnitude, echo 10 ms", "phase, echo 5 ms", "phase, echo 10 ms")
    for volume, key in enumerate([(5, "M"), (10, "M"), (5, "P"), (10, "P")]):
        assert np.array_equal(values(entry, volume), written[key])
    with pytest.raises(InputError, match="4 volumes"):
        read_series(entry, 4)


def test_a_slice_of_another_size_is_left_out(tmp_path: Path) -> None:
    series = Series()
    set_pixels(series.slices[4], np.zeros((6, 6), np.uint16))
    entry = the_series(series.write(tmp_path))
    assert np.array_equal(values(entry), top_down(series)[1:])
    assert "6 x 6 pixels that fits no other" in " ".join(entry.notes)


def test_without_a_position_the_number_orders(tmp_path: Path) -> None:
    series = Series()
    for dataset in series.slices:
        del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    contents = read_series(the_series(series.write(tmp_path)))
    assert np.array_equal(contents.images[0].data, top_down(series))
    assert contents.images[0].geometry.voxel_size_mm == pytest.approx((3, 2, 1.5))
    assert "does not say where it lies" in " ".join(contents.notes)


def test_enhanced_frames_have_time_echo_and_scaling_of_their_own(tmp_path: Path) -> None:
    series = Series(n_slices=3)
    order = [(k, {"time": t, "echo": e, "slope": e / 5}) for k in (2, 0, 1) for e in (5, 10) for t in (2, 1)]
    write_dataset(tmp_path / "one.dcm", enhanced(series, iter(order)))
    entry = the_series(tmp_path)
    assert (entry.volumes, entry.n_slices, entry.n_frames) == (("echo 5 ms", "echo 10 ms"), 3, 2)
    assert np.array_equal(values(entry, 0), [top_down(series)] * 2)
    assert np.array_equal(values(entry, 1), [2 * top_down(series).astype(np.float32)] * 2)
    assert entry.voxel_size_mm == pytest.approx((3, 2, 1.5))


def test_enhanced_files_that_describe_too_few_frames_are_refused(tmp_path: Path) -> None:
    dataset = enhanced(Series(n_slices=3), iter([(k, {}) for k in range(3)]))
    del dataset.PerFrameFunctionalGroupsSequence[1]
    write_dataset(tmp_path / "one.dcm", dataset)
    assert "3 frames and describes 2" in the_series(tmp_path).refusal


def test_a_mosaic_is_cut_into_slices(tmp_path: Path) -> None:
    tiles = Series(n_slices=3, shape=(4, 4))
    mosaic = np.zeros((8, 8), np.uint16)
    for number, tile in enumerate(tiles.values):
        mosaic[number // 2 * 4 :, number % 2 * 4 :][:4, :4] = tile
    whole = Series(n_slices=1, spacing=(3.0, 2.0, 1.5), first=(-13.0, -24.0, 30.0))
    dataset = whole.slices[0]
    set_pixels(dataset, mosaic)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    dataset.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    dataset.add_new(0x0019100A, "US", 3)
    image = read_series(the_series(whole.write(tmp_path))).images[0]
    assert np.array_equal(image.data, top_down(tiles))
    # The corner of the whole mosaic is 2 columns of 1.5 mm and 2 rows of 2 mm away from that of a slice.
    assert np.allclose(image.geometry.to_mm(np.array([2.0, 0, 0])), (10, 20, 30))


def test_a_file_stands_for_its_series_alone(tmp_path: Path) -> None:
    Series(series=f"{ROOT}.7", seed=1).write(tmp_path / "x")
    for path in (tmp_path / "x").iterdir():
        path.rename(tmp_path / f"b_{path.name}")
    series = Series()
    series.write(tmp_path)
    assert np.array_equal(values(the_series(tmp_path / "IM0002")), top_down(series))
    assert len(finish(list_series(tmp_path))) == 2


def test_a_zip_opens_without_being_unpacked(tmp_path: Path) -> None:
    series = Series()
    folder = series.write(tmp_path / "s")
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, f"../../{path.name}.dcm")
    before = set(tmp_path.rglob("*"))
    assert np.array_equal(values(the_series(packed)), top_down(series))
    assert set(tmp_path.rglob("*")) == before
    assert not list(tmp_path.parent.glob("*.dcm"))


def test_a_dicomdir_lists_its_files_and_no_others(tmp_path: Path) -> None:
    series = Series()
    folder = series.write(tmp_path / "disc" / "IMAGES")
    outside = Series(seed=5).write(tmp_path / "outside")
    records = []
    for name in (("IMAGES", "IM0000"), ("IMAGES", "IM0001"), ("..", "outside", "IM0003"), ("IMAGES", "GONE")):
        record = pydicom.Dataset()
        record.DirectoryRecordType = "IMAGE"
        # pydicom would not let a path out of the disc be written.
        record.add(pydicom.DataElement(0x00041500, "CS", list(name), validation_mode=pydicom.config.IGNORE))
        records.append(record)
    directory = pydicom.Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", f"{ROOT}.9"
    directory.DirectoryRecordSequence = pydicom.Sequence(records)
    write_dataset(tmp_path / "disc" / "DICOMDIR", directory)
    assert folder.is_dir()
    assert outside.is_dir()
    entry = the_series(tmp_path / "disc" / "DICOMDIR")
    assert entry.n_slices == 2
    assert "2 of 4 files" in " ".join(entry.notes)


def test_the_first_picture_comes_with_the_first_file(tmp_path: Path) -> None:
    series = Series(n_slices=20)
    job = list_series(series.write(tmp_path))
    step = next(job)
    assert (step.done, step.total) == (1, 20)
    assert isinstance(step.detail, SeriesEntry)
    assert np.array_equal(read_slice(step.detail), series.values[0])
    job.close()


def test_pixels_are_read_when_they_are_looked_at_and_reading_can_be_stopped(tmp_path: Path) -> None:
    series = Series()
    data = read_series(the_series(series.write(tmp_path))).images[0].data
    assert not data.is_read  # type: ignore[attr-defined]
    assert np.array_equal(data.plane(1), series.values[1])  # type: ignore[attr-defined]
    job = data.load()  # type: ignore[attr-defined]
    next(job)
    job.close()
    assert not data.is_read  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(data))
    assert np.array_equal(data, again)
    assert data.is_read  # type: ignore[attr-defined]
    assert not np.asarray(data).flags.writeable


def test_a_thumbnail_keeps_the_shape_of_the_slice(tmp_path: Path) -> None:
    small = thumbnail(the_series(Series(shape=(16, 8), spacing=(3, 2, 2)).write(tmp_path)))
    assert small.shape == (64, 64)
    assert small.dtype == np.uint8
    assert small[:, :16].max() == small[:, 48:].max() == 0
    assert small[:, 16:48].max() == 255


def test_junk_beside_a_series_is_passed_over(tmp_path: Path) -> None:
    series = Series()
    folder = series.write(tmp_path)
    (folder / "notes.txt").write_text("slices")
    (folder / "empty").touch()
    (folder / "._IM0000").write_bytes(b"\0" * 300)
    (folder / "random").write_bytes(np.random.default_rng(0).bytes(5000))
    entry = the_series(folder)
    assert entry.notes == ()
    assert np.array_equal(values(entry), top_down(series))


def test_a_study_opens_with_all_its_series(tmp_path: Path) -> None:
    for number, words in enumerate(("t2_tse", "t2_flair", "t1_se", "t1_se")):
        series = Series(series=f"{ROOT}.2{number}", seed=number)
        for dataset in series.slices:
            dataset.SeriesDescription, dataset.SeriesNumber = words, number
        series.write(tmp_path / f"s{number}")
    localizer = Series(series=f"{ROOT}.30", spacing=(10, 4, 4))
    for dataset in localizer.slices:
        dataset.SeriesDescription = "localizer"
    localizer.write(tmp_path / "loc")
    study = open_study(tmp_path)
    assert study.modalities == ("FLAIR", "T1", "T1_2", "T2")
    notes = " ".join(study.notes)
    assert "unknown" in notes
    assert "another grid" in notes


def test_our_own_segmentation_comes_back_as_labels(tmp_path: Path) -> None:
    folder = Series(shape=(12, 10), orientation=TILTED).write(tmp_path / "series")
    study = open_study(folder)
    labels = np.random.default_rng(3).integers(0, 4, study.geometry().shape)
    image = Image(labels, study.geometry(), "labels")
    [source] = read_sources(folder)
    write_dicom_seg(tmp_path / "lesions.dcm", image, source)
    beside = open_study([folder, tmp_path / "lesions.dcm"])
    assert beside.labels is not None
    assert np.array_equal(beside.labels.data, labels)
    (tmp_path / "lesions.dcm").rename(folder / "IM9999")
    within = open_study(folder)
    assert within.modalities == ("FLAIR",)
    assert within.labels is not None
    assert np.array_equal(within.labels.data, labels)


def test_two_studies_in_one_folder_are_refused(tmp_path: Path) -> None:
    Series().write(tmp_path / "a")
    other = Series(series=f"{ROOT}.8")
    for dataset in other.slices:
        dataset.StudyInstanceUID = f"{ROOT}.99"
    other.write(tmp_path / "b")
    with pytest.raises(InputError, match=r"2 DICOM studies.*give one file of the series") as refusal:
        open_study(tmp_path)
    assert {entry.study for entry in finish(list_series(tmp_path))} == {1, 2}
    named = [Path(words.split("; ")[0].split(")")[0]) for words in str(refusal.value).split("the file ")[1:]]
    assert [path.parent.name for path in named] == ["a", "b"]
    assert all(open_study(tmp_path / path).modalities == ("FLAIR",) for path in named)


@pytest.mark.parametrize(
    ("numbers", "patients", "words"),
    [
        (("17", "17"), [1, 1], "2 DICOM studies of one patient"),
        (("17", "18"), [1, 2], "2 DICOM studies of 2 patients"),
        (("17", ""), [1, 0], "2 DICOM studies \\("),
    ],
)
def test_a_refusal_says_whether_two_studies_are_of_one_patient(
    tmp_path: Path, numbers: tuple[str, str], patients: list[int], words: str
) -> None:
    for place, number in enumerate(numbers):
        series = Series(series=f"{ROOT}.{8 + place}")
        for dataset in series.slices:
            dataset.StudyInstanceUID, dataset.PatientID, dataset.PatientName = f"{ROOT}.{90 + place}", number, ""
        series.write(tmp_path / "ab"[place])
    assert [entry.patient for entry in finish(list_series(tmp_path))] == patients
    with pytest.raises(InputError, match=words):
        open_study(tmp_path)


def test_a_person_knows_the_modality_better(tmp_path: Path) -> None:
    folder = Series().write(tmp_path / "s")
    assert open_study(f"PD={folder}").modalities == ("PD",)
    assert read_image(folder, "T2").modality == "T2"


@pytest.mark.parametrize("folder", ["quixote_alonso", "QX4711", "scan of Quixote"])
def test_the_patient_is_told_nowhere(tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    series = Series(n_slices=6)
    for dataset in series.slices:
        dataset.SeriesDescription, dataset.StudyDescription = "T1 Quixote", "QX4711"
    series.slices[5].ImagePositionPatient = series.slices[2].ImagePositionPatient
    path = series.write(tmp_path / folder)
    (path / "IM0005").rename(path / "quixote_5.dcm")
    entry = the_series(path)
    study = open_study(path)
    contents = read_series(entry)
    told = f"{study.name} {study.notes} {entry.title} {entry.study_description} {entry.notes} {contents.notes}".lower()
    told += "".join(capsys.readouterr()).lower()
    assert "a file" in told
    for word in ("quixote", "alonso", "qx4711"):
        assert word not in told


def test_a_folder_of_no_telling_name_keeps_it(tmp_path: Path) -> None:
    assert open_study(Series().write(tmp_path / "case_017")).name == "case_017"
