"""Real DICOM: six vendors, nine encodings, odd folders, two glioma studies, and files that are no MR."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.progress import finish
from mrviewer.readers import open_study, read_image
from mrviewer.readers.dicom import SeriesEntry, list_series, read_series, thumbnail

pytestmark = pytest.mark.shared_data

VENDORS = {
    # folder: (modality, matrix, slices, frames, volumes, millimetres)
    "ge_epi_phantom_3timepoints": ("T2*", (64, 64), 32, 3, 1, (3, 3.75, 3.75)),
    "philips_enhanced_b0_phantom": ("unknown", (64, 64), 32, 1, 2, (4, 4, 4)),
    "philips_fieldmap_classic": ("unknown", (80, 80), 53, 1, 4, (3, 3, 3)),
    "philips_fieldmap_enhanced": ("unknown", (80, 80), 53, 1, 4, (3, 3, 3)),
    "siemens_mosaic_epi/axasc35": ("unknown", (64, 64), 35, 2, 1, (3.6, 3.25, 3.25)),
    "siemens_mosaic_epi/corint36": ("unknown", (64, 64), 36, 2, 1, (3.6, 3.25, 3.25)),
    "siemens_xa10_enhanced_phantom": ("T2*", (64, 64), 6, 4, 1, (2.4, 3.375, 3.375)),
    "toshiba_dti_b0_oblique": ("DWI", (64, 64), 40, 1, 1, (3, 3, 3)),
    "uih_vframe_dti": ("DWI", (64, 64), 20, 3, 1, (4.2, 3.5, 3.5)),
}
ODDITIES = {
    # folder: (slices, frames, sentence among the notes)
    "regular_series": (22, 1, "oblique"),
    "missing_slice_11": (22, 1, "slice 11 (of 0 to 21, counted from the head"),
    "duplicate_position": (22, 1, "another slice lies at the same place"),
    "shuffled_instance_numbers_no_extension": (22, 1, "oblique"),
    "rescale_slope_differs_per_slice": (10, 1, "oblique"),
    "one_slice_with_other_matrix": (8, 1, "70 x 70 pixels that fits no other"),
    "gantry_tilt_like_shear": (8, 1, "sheared"),
    "no_position_no_orientation": (8, 1, "does not say where it lies"),
    "dynamic_4_timepoints_6_slices": (6, 4, "series of 4 volumes"),
}
NO_IMAGES = {
    "highdicom_seg/ct_image.dcm": "computed tomography",
    "highdicom_seg/sr_document.dcm": "structured report",
    "nibabel_nicom/csa_slice_norm.dcm": "no pixels",
    "pydicom_data/OBXXXX1A_rle.dcm": "ultrasound",
    "pydicom_data/SC_rgb.dcm": "secondary capture",
    "pydicom_data/explicit_VR-UN.dcm": "computed tomography",
}
SEGMENTATIONS = {
    # file: labelled voxels per segment
    "highdicom_seg/seg_image_ct_binary.dcm": [638],
    "highdicom_seg/seg_image_ct_binary_fractional.dcm": [638],
    "highdicom_seg/seg_image_ct_true_fractional.dcm": [638],
    "highdicom_seg/seg_image_ct_binary_single_frame.dcm": [1832],
    "highdicom_seg/seg_image_ct_binary_overlap.dcm": [32, 32],
    "pydicom_data/liver.dcm": [107098],
    "pydicom_data/liver_nonbyte_aligned.dcm": [107098],
}
UNDECODABLE = ("pydicom_data/liver_deflate.dcm", "pydicom_data/liver_rle.dcm")


def the_series(path: Path) -> SeriesEntry:
    [entry] = finish(list_series(path))
    return entry


def values(entry: SeriesEntry, volume: int = 0) -> NDArray[np.generic]:
    return np.asarray(read_series(entry, volume).images[0].data)


@pytest.mark.parametrize("folder", VENDORS)
def test_series_of_every_vendor_open(shared_data: Path, folder: str) -> None:
    modality, matrix, n_slices, n_frames, n_volumes, millimetres = VENDORS[folder]
    entry = the_series(shared_data / "dicom_vendors" / folder)
    found = (entry.modality, entry.matrix, entry.n_slices, entry.n_frames, len(entry.volumes))
    assert found == (modality, matrix, n_slices, n_frames, n_volumes)
    assert entry.voxel_size_mm == pytest.approx(millimetres, abs=1e-4)
    for volume in range(n_volumes):
        assert np.ptp(values(entry, volume)) > 0
    assert thumbnail(entry).max() == 255


def test_every_vendor_is_known(shared_data: Path) -> None:
    folders = {path.name for path in (shared_data / "dicom_vendors").iterdir() if path.is_dir()} - {"licenses"}
    assert folders == {name.partition("/")[0] for name in VENDORS}


@pytest.mark.slow
def test_classic_and_enhanced_philips_are_one(shared_data: Path) -> None:
    entries = [
        the_series(shared_data / "dicom_vendors" / f"philips_fieldmap_{kind}") for kind in ("classic", "enhanced")
    ]
    assert entries[0].volumes == entries[1].volumes
    for volume in range(4):
        classic, new = (read_series(entry, volume).images[0] for entry in entries)
        assert np.array_equal(classic.data, new.data)
        assert classic.geometry.matches(new.geometry)


def test_nine_encodings_give_one_image(shared_data: Path) -> None:
    frames = values(the_series(shared_data / "dicom_transfer_syntaxes" / "same_image_9_syntaxes"))
    assert frames.shape == (9, 35, 64, 64)
    assert (frames == frames[0]).all()
    # The sum of the whole mosaic; its empty tile is black.
    assert frames[0].sum() == 38036663


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("12bitSigned_0x0F0F", -2048, 2047), ("12bitUnsigned", 0, 2908), ("12bitUnsigned_0x0F0F", 0, 4095)],
)
def test_twelve_bits_signed_or_not(shared_data: Path, name: str, low: int, high: int) -> None:
    found = values(the_series(shared_data / "dicom_transfer_syntaxes" / "twelve_bit_signed_unsigned" / f"{name}.dcm"))
    assert (found.min(), found.max()) == (low, high)


@pytest.mark.parametrize("folder", ODDITIES)
def test_odd_folders_open_and_say_what_is_odd(shared_data: Path, folder: str) -> None:
    n_slices, n_frames, sentence = ODDITIES[folder]
    entry = the_series(shared_data / "oddities_dicom" / folder)
    contents = read_series(entry)
    assert (entry.n_slices, contents.images[0].n_frames) == (n_slices, n_frames)
    assert sentence in " ".join(contents.notes)


def test_every_odd_folder_is_known(shared_data: Path) -> None:
    folders = {path.name for path in (shared_data / "oddities_dicom").iterdir() if path.is_dir()}
    assert folders == {*ODDITIES, "two_series_and_junk_in_one_folder"}


def test_odd_folders_hold_the_slices_of_the_regular_one(shared_data: Path) -> None:
    regular = values(the_series(shared_data / "oddities_dicom" / "regular_series"))
    folder = shared_data / "oddities_dicom"
    assert np.array_equal(values(the_series(folder / "shuffled_instance_numbers_no_extension")), regular)
    assert np.array_equal(values(the_series(folder / "duplicate_position")), regular)
    present = np.arange(22) != 22 - 11
    missing = values(the_series(folder / "missing_slice_11"))
    assert np.array_equal(missing[present], regular[present])
    assert not missing[~present].any()
    assert np.array_equal(values(the_series(folder / "no_position_no_orientation")), regular[-8:])
    scaled = values(the_series(folder / "rescale_slope_differs_per_slice"))
    assert np.abs(scaled - regular[-10:]).max() < 2
    frames = values(the_series(folder / "dynamic_4_timepoints_6_slices"))
    for frame, factor in zip(frames, (1.0, 1.1, 1.2, 1.3), strict=True):
        assert np.abs(frame - factor * regular[-6:]).max() <= 1


def test_two_series_and_junk_are_two_images(shared_data: Path) -> None:
    study = open_study(shared_data / "oddities_dicom" / "two_series_and_junk_in_one_folder")
    assert study.modalities == ("FLAIR", "T1Gd")


def test_a_study_of_four_series_opens_with_its_contrasts(shared_data: Path) -> None:
    study = open_study(shared_data / "glioma_pgbm003_siemens_dicom")
    assert study.modalities == ("FLAIR", "T1", "T1Gd", "T2")
    assert {image.data.shape for image in study.images.values()} == {(22, 320, 280)}
    assert study.geometry().voxel_size_mm == pytest.approx((6.5, 0.6875, 0.6875), abs=1e-4)
    # The contrast agent makes T1 brighter somewhere, and fluid is dark in FLAIR and bright in T2.
    volumes = {name: image.volume().astype(float) for name, image in study.images.items()}
    head = volumes["T2"] > 150
    assert np.corrcoef(volumes["T1"][head], volumes["T1Gd"][head])[0, 1] > 0.6
    fluid = volumes["T2"] > np.percentile(volumes["T2"][head], 97)
    assert volumes["FLAIR"][fluid].mean() / volumes["FLAIR"][head].mean() < volumes["T2"][fluid].mean() / 200


def test_the_mask_lies_on_the_tumour(shared_data: Path) -> None:
    folder = shared_data / "glioma_pgbm006_ge"
    mask = folder / "derived" / "tumor_mask_on_dicom_grid_512.nii.gz"
    study = open_study(folder / "dicom", labels=mask)
    assert study.labels is not None
    assert study.geometry().matches(read_image(mask, "labels").geometry, 0.01)
    assert not any("resampled" in note for note in study.notes)
    small = read_image(folder / "derived" / "T1post_256.nii.gz")
    step = np.rint(np.arange(256) * 511 / 255).astype(int)
    picked = study.images["T1Gd"].volume()[:, step][:, :, step]
    same = [np.array_equal(ours, theirs) for ours, theirs in zip(picked, small.volume(), strict=True)]
    assert sum(same) >= 20
    tumour = np.asarray(study.labels.data) > 0
    assert tumour.sum() * study.geometry().voxel_volume_ml == pytest.approx(16.6, abs=0.2)


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_mr_image_is_refused(shared_data: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match=NO_IMAGES[name]) as caught:
        open_study(shared_data / "dicom_misc" / name)
    assert Path(name).name in str(caught.value)


@pytest.mark.parametrize("name", SEGMENTATIONS)
def test_segmentations_open_as_labels(shared_data: Path, name: str) -> None:
    image = read_image(shared_data / "dicom_misc" / name, "labels")
    labels = np.asarray(image.data)
    assert image.modality == "labels"
    counts = [int(np.count_nonzero(labels == number)) for number in range(1, len(SEGMENTATIONS[name]) + 1)]
    overlap = sum(SEGMENTATIONS[name]) - sum(counts)
    assert 0 <= overlap <= (16 if "overlap" in name else 0)


@pytest.mark.parametrize("name", UNDECODABLE)
def test_segmentations_that_cannot_be_decoded_are_refused(shared_data: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match=f"{Path(name).name} is a segmentation that cannot be read"):
        read_image(shared_data / "dicom_misc" / name, "labels")


@pytest.mark.parametrize("name", ["emri_small", "emri_small_RLE", "emri_small_jpeg_2k_lossless"])
def test_frames_that_lie_nowhere_open_in_their_order(shared_data: Path, name: str) -> None:
    contents = read_series(the_series(shared_data / "dicom_misc" / "pydicom_data" / f"{name}.dcm"))
    found = np.asarray(contents.images[0].data)
    assert (found.shape, int(found.sum())) == ((10, 64, 64), 4493276)
    assert "does not say where it lies" in " ".join(contents.notes)


@pytest.mark.parametrize("name", ["parametric_map_float", "parametric_map_double_float"])
def test_maps_of_real_numbers_open(shared_data: Path, name: str) -> None:
    found = values(the_series(shared_data / "dicom_misc" / "pydicom_data" / f"{name}.dcm"))
    assert found.dtype == np.float32
    assert found.max() == pytest.approx(0.94157916)


def test_every_file_of_the_mixed_folder_is_decided(shared_data: Path) -> None:
    opened, refused = 0, 0
    for path in sorted((shared_data / "dicom_misc").rglob("*.dcm")):
        for entry in finish(list_series(path)):
            try:
                read_series(entry)
                opened += 1
            except FileFormatError as error:
                assert path.name in str(error)  # noqa: PT017
                refused += 1
    assert (opened, refused) == (19, 8)
