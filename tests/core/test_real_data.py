"""Everything in the folder of real data opens right or is refused right, as the page of the documentation says."""

from fnmatch import fnmatch
from pathlib import Path

import nibabel
import numpy as np
import pytest
from data_table import Row, page, rows

from mrviewer.readers import open_study

REFUSED = (
    # Not MR, no picture, no pixels, or labels without their image.
    "dicom_misc/highdicom_seg/*",
    "dicom_misc/nibabel_nicom/csa_slice_norm.dcm",
    "dicom_misc/pydicom_data/OBXXXX1A_rle.dcm",
    "dicom_misc/pydicom_data/SC_rgb.dcm",
    "dicom_misc/pydicom_data/explicit_VR-UN.dcm",
    "dicom_misc/pydicom_data/liver*.dcm",
    "oddities_dicom/two_series_and_junk_in_one_folder/._A000.dcm",
    # Masks and trajectories.
    "image_t2star_and_masks/cartesian_mask_2d_bool.npy",
    "image_t2star_and_masks/samples_radial_GA_nc64_ns512.npy",
    "kspace_*/derived/*mask*.npy",
    "sampling_masks/*.npy",
    # Formats that we do not read.
    "nifti_and_other_formats/*.mnc",
    "nifti_and_other_formats/*.HEAD",
    "nifti_and_other_formats/*.BRIK*",
    "nifti_and_other_formats/*.PAR",
    "nifti_and_other_formats/*.REC",
    "*.mgz",
    "*.nrrd",
    # Damaged, or no grey-scale image.
    "oddities_broken/*",
    "oddities_nifti/rgb24.nii.gz",
    "oddities_nifti/vector_5d.nii.gz",
)
COMPLEX = "complex64.nii.gz"
"""We show its magnitude."""


@pytest.fixture(scope="module")
def found(shared_data: Path) -> list[Row]:
    return list(rows(shared_data))


@pytest.mark.shared_data
def test_the_page_is_what_the_readers_do(found: list[Row]) -> None:
    assert (Path(__file__).parents[2] / "docs" / "real-data.md").read_text(encoding="utf-8") == page(found) + "\n"


@pytest.mark.shared_data
def test_what_should_open_opens_and_the_rest_is_refused(found: list[Row]) -> None:
    refused = {str(row.path) for row in found if not row.opens}
    should_be = {str(row.path) for row in found if any(fnmatch(str(row.path), pattern) for pattern in REFUSED)}
    assert refused == should_be
    assert len(found) - len(refused) > 300


@pytest.mark.shared_data
def test_refusals_are_one_sentence_that_names_the_file(found: list[Row]) -> None:
    for row in found:
        if not row.opens:
            assert row.path.name in row.outcome
            assert "\n" not in row.outcome
            assert len(row.outcome) < 300


@pytest.mark.shared_data
def test_nifti_files_hold_what_nibabel_finds_in_them(found: list[Row], shared_data: Path) -> None:
    compared = 0
    for row in found:
        name = str(row.path)
        if not (row.opens and ".nii" in name.lower()) or row.path.name == COMPLEX:
            continue
        theirs = nibabel.load(shared_data / row.path)
        values = theirs.get_fdata()
        assert row.mean == pytest.approx(values[np.isfinite(values)].mean(), rel=1e-4, abs=1e-6), name
        [image] = open_study(shared_data / row.path).images.values()
        assert sorted(image.geometry.shape) == sorted((*theirs.shape, 1, 1, 1)[:3]), name
        compared += 1
    assert compared > 200
