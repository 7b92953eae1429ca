"""Series that hold more than one thing: components, coils, echoes, stacks, and the order of what is in time."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import ROOT, Series, enhanced, write_dataset
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from mrviewer.images.dynamic import PHASES
from mrviewer.notes import NoteKind, as_note
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.readers.dicom import SeriesEntry, list_series, read_series
from mrviewer.readers.dicom.frames.times import seconds_of, seconds_of_moment
from mrviewer.study import FrameAxis, Image

Change = Callable[[pydicom.Dataset], None]


def write_volumes(folder: Path, changes: Iterable[Change], **other: object) -> list[NDArray[np.uint16]]:
    """One series of several volumes; each change makes the slices of one. Returns their pixels, head first."""
    written = []
    for number, change in enumerate(changes):
        series = Series(seed=number, **other)  # type: ignore[arg-type]
        for index, dataset in enumerate(series.slices):
            dataset.SOPInstanceUID = f"{ROOT}.2.{number}.{index}"
            dataset.InstanceNumber = number * series.n_slices + index + 1
            dataset.SeriesDescription = "T1 scan"
            change(dataset)
        series.write(folder / str(number))
        written.append(series.values[::-1])
    return written


def setting(**elements: object) -> Change:
    def change(dataset: pydicom.Dataset) -> None:
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)

    return change


def private(tag: int, representation: str, value: object, creator: str, **elements: object) -> Change:
    def change(dataset: pydicom.Dataset) -> None:
        setting(**elements)(dataset)
        dataset.add_new(tag & 0xFFFF0000 | (tag >> 8 & 0xFF), "LO", creator)
        dataset.add_new(tag, representation, value)

    return change


def the_series(path: Path) -> SeriesEntry:
    [entry] = finish(list_series(path))
    return entry


def image_of(entry: SeriesEntry, volume: int = 0) -> Image:
    return read_series(entry, volume).images[0]


def ge(number: int, **other: object) -> Change:
    return private(0x0043102F, "SS", number, "GEMS_PARM_01", Manufacturer="GE MEDICAL SYSTEMS", **other)


def typed(*values: str, **other: object) -> Change:
    return setting(ImageType=["ORIGINAL", "PRIMARY", *values], **other)


@pytest.mark.parametrize(
    ("changes", "volumes", "first"),
    [
        ([ge(3), ge(2), ge(0), ge(1)], ("magnitude", "phase", "real", "imaginary"), 2),
        ([typed("F", "F"), typed("W", "W"), typed("IP"), typed("OP")], ("water", "fat", "in phase", "out of phase"), 1),
        ([typed("M", "DIXON", "FAT"), typed("M", "DIXON", "WATER")], ("water", "fat"), 1),
        ([typed("OPP_PHASE"), typed("IN_PHASE")], ("in phase", "out of phase"), 1),
        ([typed("B0 MAP", "B0", "UNSPECIFIED"), typed("M_FFE", "M", "FFE")], ("magnitude", "field map"), 1),
        ([typed("PHASE MAP", "P", "FFE"), typed("M_FFE", "M", "FFE")], ("magnitude", "phase"), 1),
        ([typed("R_IR", "R", "IR"), typed("M_IR", "M", "IR")], ("magnitude", "real"), 1),
        ([typed("P", "ND"), typed("M", "ND", "NORM")], ("magnitude", "phase"), 1),
        ([typed("T1 MAP", "T1", "UNSPECIFIED"), typed("M_FFE", "M")], ("magnitude", "T1 map"), 1),
        (
            [setting(ComplexImageComponent=word) for word in ("IMAGINARY", "REAL", "PHASE", "MAGNITUDE")],
            ("magnitude", "phase", "real", "imaginary"),
            3,
        ),
    ],
)
def test_components_are_named_volumes_the_image_first(
    tmp_path: Path, changes: list[Change], volumes: tuple[str, ...], first: int
) -> None:
    written = write_volumes(tmp_path, changes)
    entry = the_series(tmp_path)
    assert (entry.volumes, entry.modality, entry.n_frames) == (volumes, "T1", 1)
    assert np.array_equal(image_of(entry).data, written[first])
    [note] = [note for note in open_study(tmp_path).notes if as_note(note).kind is NoteKind.LEFT_OUT]
    assert all(volume in note for volume in volumes)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_vendors_elements_are_found_in_another_block(tmp_path: Path, syntax: str) -> None:
    """An archive that adds elements of its own moves those of the scanner."""
    for number in range(4):
        series = Series(n_slices=3, seed=number)
        for index, dataset in enumerate(series.slices):
            dataset.Manufacturer, dataset.SOPInstanceUID = "GE MEDICAL SYSTEMS", f"{ROOT}.2.{number}.{index}"
            dataset.add_new(0x00430010, "LO", "ARCHIVE 1.0")
            dataset.add_new(0x0043102F, "SS", 3)
            dataset.add_new(0x00430012, "LO", "GEMS_PARM_01")
            dataset.add_new(0x0043122F, "SS", number)
        series.write(tmp_path / str(number), syntax)
    assert the_series(tmp_path).volumes == ("magnitude", "phase", "real", "imaginary")


def test_another_creators_element_is_not_taken_for_the_vendors(tmp_path: Path) -> None:
    change = private(0x0043102F, "SS", 3, "ARCHIVE 1.0", Manufacturer="GE MEDICAL SYSTEMS")
    write_volumes(tmp_path, [change])
    assert the_series(tmp_path).component == "magnitude"


def test_four_echoes_of_magnitude_and_phase_are_eight_volumes(tmp_path: Path) -> None:
    write_volumes(tmp_path, [ge(number, EchoTime=echo) for echo in (4.9, 9.8, 14.7, 19.6) for number in (1, 0)])
    volumes = the_series(tmp_path).volumes
    assert volumes[0] == "magnitude, echo 4.9 ms"
    assert volumes[7] == "phase, echo 19.6 ms"


@pytest.mark.parametrize(
    ("words", "component", "modality"),
    [
        (["ORIGINAL", "PRIMARY", "P", "ND"], "phase", "phase"),
        (["DERIVED", "PRIMARY", "M", "DIXON", "FAT"], "fat", "fat"),
        (["DERIVED", "PRIMARY", "M", "DIXON", "WATER"], "water", "T1"),
    ],
)
def test_a_phase_in_a_series_of_its_own_is_not_called_t1(
    tmp_path: Path, words: list[str], component: str, modality: str
) -> None:
    write_volumes(tmp_path, [setting(ImageType=words)])
    study = open_study(tmp_path)
    assert study.modalities == (modality,)
    assert study.images[modality].kind == component
    assert (modality == "T1") != any("and not magnitude" in note for note in study.notes)


@pytest.mark.parametrize(
    ("description", "component"),
    [
        ("t1_vibe_dixon_tra_W", "water"),
        ("t1_vibe_dixon_tra_F", "fat"),
        ("t1_vibe_dixon_tra_opp", "out of phase"),
        ("t1_vibe_dixon_tra_in", "in phase"),
        ("WATER: Ax LAVA Flex", "water"),
        ("OutPhase: Ax LAVA Flex", "out of phase"),
        ("t2_tse_fat_sat", "magnitude"),
        ("T1 mDIXON", "magnitude"),
        ("T1 tse F", "magnitude"),
    ],
)
def test_a_description_alone_tells_the_parts_of_dixon(tmp_path: Path, description: str, component: str) -> None:
    write_volumes(tmp_path, [setting(SeriesDescription=description)])
    assert the_series(tmp_path).component == component


def test_the_water_of_separate_dixon_series_is_t1(tmp_path: Path) -> None:
    for number, word in enumerate(("opp", "in", "F", "W"), 1):
        change = setting(
            SeriesInstanceUID=f"{ROOT}.3{number}", SeriesNumber=number, SeriesDescription=f"t1_vibe_dixon_{word}"
        )
        write_volumes(tmp_path / word, [change])
    study = open_study(tmp_path)
    assert study.images["T1"].kind == "water"
    assert study.images["fat"].kind == "fat"


def test_a_part_opens_by_its_name(tmp_path: Path) -> None:
    written = write_volumes(tmp_path / "s", [typed("P"), typed("M")])
    study = open_study(f"phase={tmp_path / 's'}")
    assert study.modalities == ("phase",)
    assert np.array_equal(study.images["phase"].data, written[0])


@pytest.mark.parametrize(
    "coil",
    [
        lambda name: private(0x0051100F, "LO", name, "SIEMENS MR HEADER", Manufacturer="SIEMENS"),
        lambda name: setting(ReceiveCoilName=name),
    ],
)
def test_uncombined_coils_are_named_volumes_the_combined_image_first(
    tmp_path: Path, coil: Callable[[str], Change]
) -> None:
    written = write_volumes(tmp_path, [coil("H1"), coil("H2"), coil("H1;H2")])
    entry = the_series(tmp_path)
    assert entry.volumes == ("coil H1;H2", "coil H1", "coil H2")
    assert np.array_equal(image_of(entry).data, written[2])


def test_a_coil_that_changes_along_the_body_is_one_volume(tmp_path: Path) -> None:
    series = Series()
    for number, dataset in enumerate(series.slices):
        dataset.ReceiveCoilName = f"SP{number // 2}"
    assert the_series(series.write(tmp_path)).n_slices == 5


@pytest.mark.parametrize("n_times", [1, 3])
@pytest.mark.parametrize("step", [0.01, 0.3])
def test_an_echo_time_that_scatters_from_slice_to_slice_is_one_echo(tmp_path: Path, n_times: int, step: float) -> None:
    def change(time: int) -> Change:
        def scatter(dataset: pydicom.Dataset) -> None:
            dataset.EchoTime = f"{4.6 + step * (dataset.InstanceNumber % 5 % 3):.2f}"
            dataset.TemporalPositionIdentifier = time + 1

        return scatter

    write_volumes(tmp_path, map(change, range(n_times)))
    entry = the_series(tmp_path)
    assert (entry.volumes, entry.n_slices, entry.n_frames) == (("",), 5, n_times)
    assert entry.voxel_size_mm[0] == pytest.approx(3)


def test_pixel_sizes_and_directions_that_are_rounded_are_one(tmp_path: Path) -> None:
    series = Series()
    for number, dataset in enumerate(series.slices):
        dataset.PixelSpacing = ["0.9374999", "0.9375001"] if number % 2 else ["0.93750", "0.9375"]
        dataset.ImageOrientationPatient = [1, 1e-3 * (number % 5), 0, -1e-3 * (number % 5), 1, 0]
    assert the_series(series.write(tmp_path)).n_slices == 5


@pytest.mark.parametrize("keys", [("TemporalPositionIdentifier",), ("AcquisitionNumber",), ()])
@pytest.mark.parametrize("axis", [0, 2])
def test_volumes_that_motion_correction_shifts_a_little_are_frames(
    tmp_path: Path, keys: tuple[str, ...], axis: int
) -> None:
    def change(time: int) -> Change:
        def shift(dataset: pydicom.Dataset) -> None:
            position = [float(value) for value in dataset.ImagePositionPatient]
            position[axis] += 0.03 * time
            dataset.ImagePositionPatient = position
            for key in keys:
                setattr(dataset, key, time + 1)

        return shift

    written = write_volumes(tmp_path, map(change, range(4)))
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(contents.images[0].data, written)
    assert any("shifted against each other by up to 0.09 mm" in note for note in contents.notes)


@pytest.mark.parametrize("has_numbers", [True, False])
def test_a_weighting_that_lies_elsewhere_is_a_set_of_its_own(tmp_path: Path, has_numbers: bool) -> None:
    def change(number: int) -> Change:
        def place(dataset: pydicom.Dataset) -> None:
            dataset.DiffusionBValue = 1000.0 if number else 0.0
            if has_numbers:
                dataset.AcquisitionNumber = number + 1
            if not number:
                x, y, z = map(float, dataset.ImagePositionPatient)
                dataset.ImagePositionPatient = [x, y, z + 3]

        return place

    written = write_volumes(tmp_path, map(change, range(3)))
    entry = the_series(tmp_path)
    assert entry.volumes == ("b 1000 s/mm2", "b 0 s/mm2")
    weighted, plain = image_of(entry, 0), image_of(entry, 1)
    assert np.array_equal(weighted.data, written[1:])
    assert np.array_equal(plain.data, written[0])
    assert plain.geometry.affine[2, 3] - weighted.geometry.affine[2, 3] == pytest.approx(3)


def test_places_with_unequal_counts_that_nothing_explains_are_refused(tmp_path: Path) -> None:
    def change(number: int) -> Change:
        def place(dataset: pydicom.Dataset) -> None:
            x, y, z = map(float, dataset.ImagePositionPatient)
            dataset.ImagePositionPatient = [x, y, z + (0 if number else 3)]

        return place

    write_volumes(tmp_path, map(change, range(3)))
    assert "does not say which belong together" in the_series(tmp_path).refusal


def test_packages_of_every_second_slice_stay_one_volume(tmp_path: Path) -> None:
    def change(time: int) -> Change:
        def number(dataset: pydicom.Dataset) -> None:
            dataset.AcquisitionNumber = 2 * time + dataset.InstanceNumber % 2

        return number

    write_volumes(tmp_path, map(change, range(3)), n_slices=6)
    entry = the_series(tmp_path)
    assert (entry.n_slices, entry.n_frames, entry.volumes) == (6, 3, ("",))


def timed(*moments: tuple[str, str], **other: object) -> list[Change]:
    return [setting(AcquisitionDate=day, AcquisitionTime=time, **other) for day, time in moments]


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        (timed(("20200101", "100030"), ("20200101", "100000")), [1, 0]),
        (timed(("20200101", "235950"), ("20200102", "000010")), [0, 1]),
        (timed(("20200102", "000010"), ("20200101", "235950")), [1, 0]),
        (timed(("20200101", "235950"), ("20200101", "000010")), [0, 1]),
        ([setting(ContentTime=time) for time in ("235950", "000010")], [0, 1]),
        (timed(("", "235950.5"), ("", "000010.25"), ("", "000030")), [0, 1, 2]),
        ([setting(AcquisitionDateTime=f"202001011000{s}.5+0100") for s in (30, 10)], [1, 0]),
        ([setting(ContentDate="20200101", ContentTime=f"1000{s}") for s in (30, 10)], [1, 0]),
    ],
)
def test_volumes_in_time_are_in_the_order_of_date_and_time(
    tmp_path: Path, changes: list[Change], order: list[int]
) -> None:
    written = write_volumes(tmp_path, changes)
    image = image_of(the_series(tmp_path))
    assert np.array_equal(image.data, [written[place] for place in order])
    assert image.frame_axis is FrameAxis.TIME
    assert image.frames[0] == "volume 1, at 0 s"
    seconds = [float(name.split()[-2]) for name in image.frames]
    assert all(late > early for early, late in pairwise(seconds))


def test_slices_on_both_sides_of_midnight_are_one_volume(tmp_path: Path) -> None:
    def clock(dataset: pydicom.Dataset) -> None:
        seconds = (86390 + dataset.InstanceNumber * 3) % 86400
        dataset.AcquisitionTime = f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"

    written = write_volumes(tmp_path, [clock, clock])
    assert np.array_equal(image_of(the_series(tmp_path)).data, written)


def test_the_number_decides_where_times_and_positions_contradict(tmp_path: Path) -> None:
    changes = [
        setting(AcquisitionTime="100030", TemporalPositionIdentifier=1),
        setting(AcquisitionTime="100000", TemporalPositionIdentifier=2),
    ]
    written = write_volumes(tmp_path, changes)
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(contents.images[0].data, written)
    assert any("contradict" in note for note in contents.notes)


def test_two_temporal_positions_of_one_time_are_in_the_order_of_the_positions(tmp_path: Path) -> None:
    changes = [setting(AcquisitionTime="100000", TemporalPositionIdentifier=place) for place in (2, 1)]
    written = write_volumes(tmp_path, changes)
    image = image_of(the_series(tmp_path))
    assert np.array_equal(image.data, written[::-1])
    assert image.frames == ("temporal position 1", "temporal position 2")


def test_trigger_times_order_the_phases_of_a_heart_beat(tmp_path: Path) -> None:
    changes = [setting(AcquisitionTime="100000", TriggerTime=time) for time in (80, 0, 40)]
    written = write_volumes(tmp_path, changes)
    image = image_of(the_series(tmp_path))
    assert np.array_equal(image.data, [written[1], written[2], written[0]])
    assert image.frame_axis is FrameAxis.CARDIAC


def test_enhanced_frames_are_in_the_order_of_their_time(tmp_path: Path) -> None:
    series = Series(n_slices=3)
    dataset = enhanced(series, iter([(k, {"slope": t + 1}) for t in (1, 0) for k in range(3)]))
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        del group.FrameContentSequence[0].TemporalPositionIndex
        moment = "20200102000010" if number < 3 else "20200101235950.5"
        group.FrameContentSequence[0].FrameAcquisitionDateTime = moment
    write_dataset(tmp_path / "one.dcm", dataset)
    image = image_of(the_series(tmp_path))
    assert np.array_equal(np.asarray(image.data)[1], 2 * np.asarray(image.data)[0])
    assert image.frames == ("volume 1, at 0 s", "volume 2, at 19.5 s")


def test_parallel_stacks_of_an_enhanced_file_are_volumes(tmp_path: Path) -> None:
    series = Series(n_slices=8)
    dataset = enhanced(series, iter([(k, {}) for k in range(8)]))
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence[0].StackID = "1" if number < 4 else "2"
    write_dataset(tmp_path / "one.dcm", dataset)
    entry = the_series(tmp_path)
    assert (entry.volumes, entry.n_slices) == (("stack 1", "stack 2"), 4)


def test_three_directions_are_named_volumes(tmp_path: Path) -> None:
    for number, orientation in enumerate(((1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1))):
        series = Series(n_slices=3, orientation=orientation, seed=number)
        for index, dataset in enumerate(series.slices):
            dataset.SOPInstanceUID = f"{ROOT}.2.{number}.{index}"
        series.write(tmp_path / str(number))
    assert sorted(the_series(tmp_path).volumes) == ["axial", "coronal", "sagittal"]


@pytest.mark.parametrize("is_in_time", [True, False])
def test_contrast_phases_differ_in_time(tmp_path: Path, is_in_time: bool) -> None:
    times = ("100000", "100020", "100050", "100200") if is_in_time else ("100000",) * 4
    write_volumes(tmp_path, [setting(SeriesDescription="DCE", AcquisitionTime=time) for time in times])
    study = open_study(tmp_path)
    assert study.modalities == (PHASES if is_in_time else ("DCE",))
    assert is_in_time != any("do not differ in time" in note for note in study.notes)


def test_a_diffusion_series_says_what_each_frame_is(tmp_path: Path) -> None:
    changes = [
        setting(DiffusionBValue=1000.0, DiffusionGradientOrientation=[0.0, 0.0, 1.0]),
        setting(DiffusionBValue=1000.0, DiffusionGradientOrientation=[1.0, 0.0, 0.0]),
        setting(DiffusionBValue=0.0),
        setting(DiffusionBValue=1000.0, ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]),
        setting(ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]),
    ]
    written = write_volumes(tmp_path, changes)
    entry = the_series(tmp_path)
    assert (entry.volumes, entry.modality) == (("magnitude", "ADC"), "DWI")
    image = image_of(entry)
    assert image.frames[0] == "b 0 s/mm2"
    assert "b 1000 s/mm2, direction (0.000, 0.000, 1.000)" in image.frames
    assert np.array_equal(np.asarray(image.data)[0], written[2])


@pytest.mark.parametrize("reference", [f"{ROOT}.9", ""])
def test_two_frames_of_reference_are_not_laid_over_each_other(tmp_path: Path, reference: str) -> None:
    for number, words in enumerate(("t2_flair", "t1_tse"), 1):
        place = {"FrameOfReferenceUID": reference if number == 2 else f"{ROOT}.8"}
        change = setting(SeriesInstanceUID=f"{ROOT}.3{number}", SeriesDescription=words, **place)
        write_volumes(tmp_path / words, [change])
    study = open_study(tmp_path)
    assert study.modalities == (("FLAIR",) if reference else ("FLAIR", "T1"))
    assert bool(reference) == any("another frame of reference than FLAIR" in note for note in study.notes)


def test_dates_and_times_of_old_files_are_understood() -> None:
    assert seconds_of("2020.01.02", "10:00:30") - seconds_of("20200101", "100000.0") == 86430
    assert seconds_of("", "0101") - seconds_of("", "0000") == 3660
    assert seconds_of("", "000000") > 0, "midnight is a time"
    assert seconds_of("20200101", "") == seconds_of("nonsense", "x") == seconds_of_moment("20200101") == 0
    assert seconds_of_moment("20200101100000.25-0500") == seconds_of("20200101", "100000.25")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def blanked(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30] + bytes(30))


@pytest.mark.parametrize("damage", [cut_short, blanked])
@pytest.mark.parametrize("damaged", ["a", "b"])
@pytest.mark.parametrize("new_numbers", [True, False])
def test_a_damaged_copy_never_displaces_a_good_slice(
    tmp_path: Path, damage: Callable[[Path], None], damaged: str, new_numbers: bool
) -> None:
    series = Series()
    series.write(tmp_path / "a")
    if new_numbers:
        for dataset in series.slices:
            dataset.SOPInstanceUID += ".9"
    series.slices = series.slices[2:3]
    copy = series.write(tmp_path / "b") / "IM0000"
    damage(copy if damaged == "b" else tmp_path / "a" / "IM0002")
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(contents.images[0].data, series.values[::-1])
    if not new_numbers:
        assert any("copies of one image differ" in note for note in contents.notes)


@pytest.mark.parametrize("shift", [1.5, 15.0])
def test_two_weightings_at_places_of_their_own_are_never_one_volume(tmp_path: Path, shift: float) -> None:
    def change(number: int) -> Change:
        def place(dataset: pydicom.Dataset) -> None:
            x, y, z = map(float, dataset.ImagePositionPatient)
            dataset.ImagePositionPatient, dataset.DiffusionBValue = [x, y, z + shift * number], 1000.0 * number

        return place

    written = write_volumes(tmp_path, map(change, range(2)))
    entry = the_series(tmp_path)
    assert entry.volumes == ("b 0 s/mm2", "b 1000 s/mm2")
    assert np.array_equal(image_of(entry, 1).data, written[1])


def test_repetitions_of_a_head_that_moved_are_volumes_and_not_refused(tmp_path: Path) -> None:
    def change(number: int) -> Change:
        def move(dataset: pydicom.Dataset) -> None:
            x, y, z = map(float, dataset.ImagePositionPatient)
            dataset.ImagePositionPatient = [x, y, z + 1.1 * number]
            dataset.TemporalPositionIdentifier = number + 1

        return move

    written = write_volumes(tmp_path, map(change, range(3)))
    entry = the_series(tmp_path)
    assert len(entry.volumes) == 3
    assert all(np.array_equal(image_of(entry, number).data, written[number]) for number in range(3))


def test_parallel_stacks_with_a_gap_are_volumes(tmp_path: Path) -> None:
    series = Series(n_slices=12)
    del series.slices[4:8]
    for dataset in series.slices[4:]:
        x, y, z = map(float, dataset.ImagePositionPatient)
        dataset.ImagePositionPatient = [x, y, z + 1]
    entry = the_series(series.write(tmp_path))
    assert (len(entry.volumes), entry.n_slices) == (2, 4)
    assert np.array_equal(image_of(entry, 0).data, series.values[3::-1])
    assert np.array_equal(image_of(entry, 1).data, series.values[:7:-1])


@pytest.mark.parametrize("keyword", ["AcquisitionTime", "ContentTime"])
def test_midnight_itself_is_a_time(tmp_path: Path, keyword: str) -> None:
    times = ("000020", "000010", "000000", "235950")
    written = write_volumes(tmp_path, [setting(**{keyword: time}) for time in times])
    image = image_of(the_series(tmp_path))
    assert np.array_equal(np.asarray(image.data), written[::-1])
    assert image.frame_names == tuple(f"volume {n}, at {n * 10 - 10} s" for n in range(1, 5))


def test_times_of_acquisition_and_of_the_image_are_not_compared(tmp_path: Path) -> None:
    changes = [setting(ContentTime=f"1100{time}") for time in (30, 20, 10)]
    both = setting(AcquisitionTime="100030", ContentTime="110030")
    written = write_volumes(tmp_path, [both, *changes[1:]])
    assert np.array_equal(np.asarray(image_of(the_series(tmp_path)).data), written[::-1])


def test_a_contradiction_that_no_number_settles_is_said(tmp_path: Path) -> None:
    facts = [{"AcquisitionTime": f"1000{30 - 10 * n}", "TemporalPositionIdentifier": n + 1} for n in range(3)]
    written = write_volumes(tmp_path, [setting(InstanceNumber=1, **fact) for fact in facts])
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(np.asarray(contents.images[0].data), written[::-1])
    assert any("contradict each other; the frames are ordered by acquisition time" in note for note in contents.notes)


@pytest.mark.parametrize("says", ["offset", "reference", "trigger"])
def test_enhanced_frames_are_in_order_by_each_way_to_say_it(tmp_path: Path, says: str) -> None:
    series = Series()
    dataset = enhanced(series, ((index, {}) for index in (*range(5), *range(4, -1, -1))))
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSequence[0].ImagePositionPatient = series.slices[number % 5].ImagePositionPatient
        content, item = pydicom.Dataset(), pydicom.Dataset()
        later = 10 * (number < 5)
        content.StackID = "1"
        if says == "offset":
            item.TemporalPositionTimeOffset = float(later)
            group.TemporalPositionSequence = [item]
        elif says == "trigger":
            item.ActualCardiacTriggerDelayTime = 50.0 + later
            group.CardiacSynchronizationSequence = [item]
        else:
            content.FrameAcquisitionDateTime = "20200101100000"
            content.FrameReferenceDateTime = f"202001011000{later:02d}"
        group.FrameContentSequence = [content]
    write_dataset(tmp_path / "enhanced", dataset)
    assert np.array_equal(np.asarray(image_of(the_series(tmp_path)).data)[1], series.values[::-1])


@pytest.mark.parametrize("up", [0.0, 15.0])
def test_two_frames_of_reference_in_one_series_are_volumes(tmp_path: Path, up: float) -> None:
    def change(number: int) -> Change:
        def place(dataset: pydicom.Dataset) -> None:
            x, y, z = map(float, dataset.ImagePositionPatient)
            dataset.ImagePositionPatient = [x, y, z + up * number]
            dataset.FrameOfReferenceUID = f"{ROOT}.9{number}"

        return place

    written = write_volumes(tmp_path, map(change, range(2)))
    entry = the_series(tmp_path)
    assert entry.volumes == ("frame of reference 1", "frame of reference 2")
    for number in range(2):
        image = image_of(entry, number)
        assert np.array_equal(image.data, written[number])
        assert image.frame_of_reference == f"{ROOT}.9{number}"


def test_a_plane_without_a_frame_of_reference_lies_in_the_only_one(tmp_path: Path) -> None:
    series = Series()
    for dataset in series.slices[1:]:
        dataset.FrameOfReferenceUID = f"{ROOT}.9"
    entry = the_series(series.write(tmp_path))
    assert entry.volumes == ("",)
    assert entry.frame_of_reference == f"{ROOT}.9"


def test_different_images_that_share_one_identifier_are_all_kept(tmp_path: Path) -> None:
    changes = [setting(SOPInstanceUID=f"{ROOT}.9", EchoTime=echo) for echo in (10.0, 80.0)]
    written = write_volumes(tmp_path, changes)
    entry = the_series(tmp_path)
    assert entry.volumes == ("echo 10 ms", "echo 80 ms")
    assert all(np.array_equal(image_of(entry, number).data, written[number]) for number in (0, 1))
    assert any("share one identifier" in note for note in entry.notes)
    assert not any("there twice" in note for note in entry.notes)


def test_blank_slices_that_share_one_identifier_belong_to_their_volumes(tmp_path: Path) -> None:
    def blank(dataset: pydicom.Dataset) -> None:
        dataset.SOPInstanceUID = f"{ROOT}.9"
        if dataset.InstanceNumber % 5 == 1:
            dataset.PixelData = bytes(len(dataset.PixelData))

    def at(echo: float) -> Change:
        def change(dataset: pydicom.Dataset) -> None:
            blank(dataset)
            dataset.EchoTime = echo

        return change

    write_volumes(tmp_path, [at(10.0), at(80.0)])
    entry = the_series(tmp_path)
    assert entry.volumes == ("echo 10 ms", "echo 80 ms")
    assert [image_of(entry, number).data.shape[0] for number in (0, 1)] == [5, 5]


@pytest.mark.parametrize("pixels", [b"one", b"two"])
def test_two_unreadable_images_of_one_identifier_are_told_apart_by_content(tmp_path: Path, pixels: bytes) -> None:
    series = Series(n_slices=1)
    for name, stored in (("a", b"one"), ("b", pixels)):
        series.slices[0].PixelData = stored + b"\0"
        series.write(tmp_path / name)
    entry = the_series(tmp_path)
    assert len(entry.files) == (1 if pixels == b"one" else 2)


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ([setting(AcquisitionDateTime=f"20201025{t}") for t in ("020010+0100", "025950+0200")], [1, 0]),
        ([setting(AcquisitionDateTime=f"20200101{t}") for t in ("235900-0500", "120000+1200")], [1, 0]),
        (
            [setting(AcquisitionTime=t, TimezoneOffsetFromUTC=z) for t, z in (("0210", "+0100"), ("0250", "+0200"))],
            [1, 0],
        ),
        ([setting(ContentTime=t, TimezoneOffsetFromUTC=z) for t, z in (("0210", "+0100"), ("0250", "+0200"))], [1, 0]),
        ([setting(AcquisitionDateTime=f"20200101{t}") for t in ("1000", "0959+0100")], [1, 0]),
    ],
)
def test_times_of_several_zones_are_compared_in_one(tmp_path: Path, changes: list[Change], order: list[int]) -> None:
    written = write_volumes(tmp_path, changes)
    image = image_of(the_series(tmp_path))
    assert np.array_equal(image.data, [written[place] for place in order])
    assert image.frame_axis is FrameAxis.TIME


def test_times_whose_zones_are_not_all_known_do_not_order(tmp_path: Path) -> None:
    times = ("1003", "0930+0100", "1130+0300")
    written = write_volumes(tmp_path, [setting(AcquisitionDateTime=f"20200101{time}") for time in times])
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(contents.images[0].data, written)
    assert contents.images[0].frame_axis is not FrameAxis.TIME
    assert any("time zone" in note for note in contents.notes)


def test_frames_of_an_enhanced_file_name_their_zones(tmp_path: Path) -> None:
    dataset = without_times([1, 0])
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        moment = "20201025020010+0100" if number < 3 else "20201025025950+0200"
        group.FrameContentSequence[0].FrameAcquisitionDateTime = moment
    write_dataset(tmp_path / "one.dcm", dataset)
    values = np.asarray(image_of(the_series(tmp_path)).data)
    assert np.array_equal(values[1], 2 * values[0])


def without_times(scales: list[int]) -> pydicom.Dataset:
    """An enhanced file of three slices per volume whose frames do not say when they were taken."""
    dataset = enhanced(Series(n_slices=3), iter([(k, {"slope": t + 1}) for t in scales for k in range(3)]))
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.FrameContentSequence[0].TemporalPositionIndex
    return dataset


def index_frames(dataset: pydicom.Dataset, pointers: list[int], rows: list[list[int]]) -> None:
    items = [pydicom.Dataset() for _ in pointers]
    for item, pointer in zip(items, pointers, strict=True):
        item.DimensionIndexPointer = pointer
    dataset.DimensionIndexSequence = pydicom.Sequence(items)
    for group, row in zip(dataset.PerFrameFunctionalGroupsSequence, rows, strict=True):
        group.FrameContentSequence[0].DimensionIndexValues = row


IN_STACK, TEMPORAL, ECHO = 0x00209057, 0x00209128, 0x00189082


@pytest.mark.parametrize("pointer", [TEMPORAL, 0x00181030])
def test_the_index_of_a_file_orders_frames_that_nothing_else_orders(tmp_path: Path, pointer: int) -> None:
    dataset = without_times([1, 0])
    index_frames(dataset, [IN_STACK, pointer], [[k, t] for t in (2, 1) for k in (1, 2, 3)])
    write_dataset(tmp_path / "one.dcm", dataset)
    image = image_of(the_series(tmp_path))
    values = np.asarray(image.data)
    assert np.array_equal(values[1], 2 * values[0])
    assert (image.frame_axis is FrameAxis.TIME) == (pointer == TEMPORAL)
    assert not any("DimensionIndexValues" in note for note in open_study(tmp_path).notes)


def test_positions_decide_where_the_index_contradicts_them(tmp_path: Path) -> None:
    dataset = without_times([0])
    index_frames(dataset, [IN_STACK], [[1], [3], [2]])
    write_dataset(tmp_path / "one.dcm", dataset)
    contents = read_series(the_series(tmp_path))
    assert np.array_equal(contents.images[0].data, Series(n_slices=3).values[::-1])
    assert [as_note(note).kind for note in contents.notes if "contradicts the position" in note] == [NoteKind.ORDER]


def test_an_index_of_slices_that_all_state_one_position_is_refused(tmp_path: Path) -> None:
    dataset = without_times([0])
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 0]
    index_frames(dataset, [IN_STACK], [[1], [2], [3]])
    write_dataset(tmp_path / "one.dcm", dataset)
    assert "states one position" in the_series(tmp_path).refusal


@pytest.mark.parametrize("pointer", [TEMPORAL, ECHO])
def test_an_index_that_contradicts_time_or_contrast_is_said(tmp_path: Path, pointer: int) -> None:
    frames = [(k, {"time": t, "echo": 10.0 * t, "slope": t}) for t in (1, 2) for k in range(3)]
    dataset = enhanced(Series(n_slices=3), iter(frames))
    numbers = [2, 2, 2, 1, 1, 1] if pointer == TEMPORAL else [1, 1, 1, 1, 1, 2]
    index_frames(dataset, [IN_STACK, pointer], [[k % 3 + 1, number] for k, number in enumerate(numbers)])
    write_dataset(tmp_path / "one.dcm", dataset)
    entry = the_series(tmp_path)
    assert entry.volumes == ("echo 10 ms", "echo 20 ms")
    assert any("DimensionIndexValues" in note and "contradicts" in note for note in entry.notes)
