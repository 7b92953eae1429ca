"""NIfTI in every legal form opens in internal order; pixels are read when they are looked at."""

import gzip
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mrviewer.array_files.stored_bytes import StoredBytes
from mrviewer.errors import FileFormatError
from mrviewer.readers import open_study, read_image
from mrviewer.readers.nifti import NiftiArray, read_nifti

SHAPE = (4, 5, 6)
SAME_HEAD = ("LAS", "LPI", "PIR", "SAL", "IPR")
SAME_VALUES = (
    "nifti2_int16.nii.gz",
    "pair.hdr",
    "pair.img",
    "singleton_4d.nii.gz",
    "qform_sform_disagree.nii.gz",
    "uppercase_EXTENSION.NII.GZ",
    "name with spaces and ünïcode.nii.gz",
    *(f"same_head_stored_{codes}.nii.gz" for codes in SAME_HEAD),
)


def save(path: Path, values: NDArray[np.generic], affine: NDArray[np.float64] | None = None, **fields: object) -> Path:
    """Write a NIfTI file with some header fields as given; position codes are kept as nibabel sets them."""
    kind = nibabel.Nifti1Pair if path.suffix in (".img", ".hdr") else nibabel.Nifti1Image
    image = kind(values, np.eye(4) if affine is None else affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patch(path: Path, **fields: object) -> Path:
    """Overwrite header fields of an uncompressed file, sensible or not."""
    content = bytearray(path.read_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    path.write_bytes(content)
    return path


def internal_oracle(path: Path) -> NDArray[np.float64]:
    """Volume in internal order, through nibabel alone."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return np.flip(np.asarray(image.dataobj, dtype=np.float64).T, (-1, -2, -3))


def counting() -> NDArray[np.int16]:
    return np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


@pytest.mark.parametrize("name", SAME_VALUES)
def test_one_head_stored_in_many_ways_is_one_head(shared_data: Path, name: str) -> None:
    base = read_image(shared_data / "oddities_nifti" / "base_ras_int16.nii.gz")
    image = read_image(shared_data / "oddities_nifti" / name)
    np.testing.assert_array_equal(image.volume(), base.volume())
    assert image.geometry.matches(base.geometry)


@pytest.mark.parametrize("name", ["float64.nii.gz", "float32_big_endian.nii"])
def test_the_head_in_floating_point_differs_by_its_rounding_only(shared_data: Path, name: str) -> None:
    base = read_image(shared_data / "oddities_nifti" / "base_ras_int16.nii.gz")
    image = read_image(shared_data / "oddities_nifti" / name)
    np.testing.assert_allclose(image.volume(), base.volume(), atol=1)
    assert image.geometry.matches(base.geometry)


@pytest.mark.parametrize(
    "name",
    [
        "oddities_nifti/float64.nii.gz",
        "oddities_nifti/float32_big_endian.nii",
        "oddities_nifti/oblique_affine.nii.gz",
        "oddities_nifti/sheared_affine.nii.gz",
        "oddities_nifti/int16_slope_0.037_inter_-12.5.nii.gz",
        "oddities_nifti/anisotropic_5.5x5.5x22mm.nii.gz",
        "oddities_nifti/all_negative.nii.gz",
        "oddities_nifti/constant_zero.nii.gz",
        "oddities_nifti/nan_and_inf_float32.nii.gz",
        "oddities_nifti/no_qform_no_sform.nii.gz",
        "oddities_nifti/time_4d_6frames.nii.gz",
        "oddities_nifti/mask_int64.nii.gz",
        "nifti_and_other_formats/nibabel/anatomical.nii",
        "nifti_and_other_formats/nibabel/functional.nii",
        "nifti_and_other_formats/nibabel/example4d.nii.gz",
        "nifti_and_other_formats/nibabel/example_nifti2.nii.gz",
        "nifti_and_other_formats/nibabel/reoriented_anat_moved.nii",
        "nifti_and_other_formats/nibabel/someones_anatomy.nii.gz",
        "nifti_and_other_formats/nibabel/someones_epi.nii.gz",
        "nifti_and_other_formats/nibabel/standard.nii.gz",
        "spinalcord_sct/t2/t2.nii.gz",
        "spinalcord_sct/dmri/dmri.nii.gz",
    ],
)
def test_real_files_agree_with_nibabel(shared_data: Path, name: str) -> None:
    path = shared_data / name
    image = read_image(path)
    values = np.asarray(image.data)
    assert values.flags.c_contiguous
    assert values.dtype == image.data.dtype
    assert values.shape == image.data.shape
    np.testing.assert_allclose(values, internal_oracle(path), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(image.geometry.stored_affine, nibabel.load(path).affine, atol=1e-6)


def test_every_odd_nifti_opens_or_is_refused_in_one_sentence(shared_data: Path) -> None:
    refused = {}
    for path in sorted((shared_data / "oddities_nifti").iterdir()):
        if path.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".img")):
            try:
                study = open_study([path])
            except FileFormatError as error:
                refused[path.name] = str(error)
            else:
                assert np.asarray(study.images["unknown"].data).size
    assert set(refused) == {"rgb24.nii.gz", "vector_5d.nii.gz"}
    for name, message in refused.items():
        assert message.startswith(name)
        assert "\n" not in message
        assert ";" in message


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("oblique_affine.nii.gz", "oblique in the scanner, by 26.8 degrees"),
        ("sheared_affine.nii.gz", "sheared"),
        ("complex64.nii.gz", "magnitude"),
        ("time_4d_6frames.nii.gz", "series of 6 volumes"),
        ("qform_sform_disagree.nii.gz", "disagree by up to 169.5 mm; the sform is used"),
        ("no_qform_no_sform.nii.gz", "left and right may be swapped"),
        ("zero_pixdim_qform0.nii.gz", "voxel size of 0"),
    ],
)
def test_what_is_odd_is_said(shared_data: Path, name: str, note: str) -> None:
    (said,) = open_study([shared_data / "oddities_nifti" / name]).notes
    assert note in said


def test_a_plain_file_needs_no_note(shared_data: Path) -> None:
    assert open_study([shared_data / "oddities_nifti" / "base_ras_int16.nii.gz"]).notes == ()


def test_spinal_cord_stored_psr_keeps_its_way_back(shared_data: Path) -> None:
    image = read_image(shared_data / "spinalcord_sct" / "t2" / "t2.nii.gz")
    assert image.modality == "T2"
    assert image.data.shape == (55, 60, 52)
    assert nibabel.aff2axcodes(image.geometry.stored_affine) == ("P", "S", "R")
    np.testing.assert_array_equal(
        image.geometry.to_stored_order(image.volume()), np.asarray(nibabel.load(image.path).dataobj)
    )


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.uint8, np.uint8),
        (np.int16, np.int16),
        (">i2", np.int16),
        (np.int32, np.int32),
        (np.uint64, np.uint64),
        (np.float32, np.float32),
        (">f8", np.float32),
        (np.float64, np.float32),
        (np.complex64, np.float32),
    ],
)
def test_integers_stay_and_all_else_is_float32(tmp_path: Path, stored: str, expected: type) -> None:
    header = nibabel.Nifti1Header(endianness=">" if str(stored).startswith(">") else "<")
    header.set_data_dtype(stored)
    values = counting().astype(stored)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4), header), tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    assert image.data.dtype == expected
    assert np.asarray(image.data).dtype == np.dtype(expected)
    np.testing.assert_array_equal(np.sort(image.volume().ravel()), np.arange(values.size))


def test_complex_values_become_their_magnitude(tmp_path: Path) -> None:
    values = (3 + 4j) * counting().astype(np.complex64)
    image = read_image(save(tmp_path / "a.nii.gz", values))
    np.testing.assert_allclose(np.sort(image.volume().ravel()), 5.0 * np.arange(values.size))


def test_large_scaled_integers_are_not_rounded_before_scaling(tmp_path: Path) -> None:
    values = np.full(SHAPE, 2**24 + 1, np.int32)
    path = patch(save(tmp_path / "a.nii", values), scl_slope=1.0, scl_inter=-float(2**24))
    np.testing.assert_array_equal(read_image(path).volume(), 1)


def test_values_that_are_not_finite_are_kept(shared_data: Path) -> None:
    values = read_image(shared_data / "oddities_nifti" / "nan_and_inf_float32.nii.gz").volume()
    assert np.isnan(values).any()
    assert np.isinf(values).any()


def test_a_single_slice_is_a_volume_of_one(shared_data: Path) -> None:
    path = shared_data / "oddities_nifti" / "single_slice_2d.nii.gz"
    image = read_image(path)
    assert image.data.shape == (1, 34, 29)
    np.testing.assert_array_equal(image.volume()[0], np.flip(np.asarray(nibabel.load(path).dataobj).T))


def test_opening_reads_no_pixels(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: StoredBytes, buffer: memoryview, offset: int, times: int) -> Iterator[None]:
        raise AssertionError("pixels were read")

    monkeypatch.setattr(StoredBytes, "fill", fail)
    monkeypatch.setattr(StoredBytes, "whole", lambda self, count: None)
    folder = shared_data / "ms_lesjak_mni" / "patient07"
    study = open_study(sorted(folder.glob("[FT]*.nii.gz")))
    assert study.modalities == ("FLAIR", "T1Gd", "T1", "T2")
    assert study.geometry().shape == (182, 218, 182)
    with pytest.raises(AssertionError, match="pixels were read"):
        study.images["T2"].volume()


def test_threads_share_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    original = StoredBytes.whole

    def counted(self: StoredBytes, count: int) -> bytearray | None:
        reads.append(count)
        return original(self, count)

    monkeypatch.setattr(StoredBytes, "whole", counted)
    data = read_image(save(tmp_path / "a.nii.gz", counting())).data
    with ThreadPoolExecutor(8) as pool:
        arrays = list(pool.map(lambda _: np.asarray(data), range(32)))
    assert len(reads) == 1
    assert all(array is arrays[0] or np.shares_memory(array, arrays[0]) for array in arrays)
    assert not arrays[0].flags.writeable


@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAI", "RPI", "PIR", "SAL"])
@pytest.mark.parametrize("frames", [(), (3,)])
@pytest.mark.parametrize("kind", ["float32", "int16", "float64", ">i2"])
def test_reading_at_once_piece_by_piece_and_slice_by_slice_agree(
    tmp_path: Path, axes: str, frames: tuple[int, ...], kind: str
) -> None:
    values = np.random.default_rng(2).integers(-99, 99, (5, 6, 7, *frames)).astype(kind)
    affine = inv_ornt_aff(ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes)), (5, 6, 7))
    for name in ("a.nii", "a.nii.gz"):
        nibabel.Nifti1Image(values, affine).to_filename(tmp_path / name)
    plain, packed = (read_image(tmp_path / name) for name in ("a.nii", "a.nii.gz"))
    for axis, size in enumerate(packed.geometry.shape):
        fresh = read_image(tmp_path / "a.nii.gz").data
        for index in range(size):
            np.testing.assert_array_equal(fresh.plane(index, axis), np.take(plain.volume(), index, axis))
    np.testing.assert_array_equal(np.asarray(packed.data), np.asarray(plain.data))


def test_the_first_slice_is_there_before_the_rest_is_decoded(tmp_path: Path) -> None:
    values = np.random.default_rng(3).standard_normal((64, 64, 64)).astype(np.float32)
    path = save(tmp_path / "a.nii.gz", values)
    first_stored = read_image(path).geometry.shape[0] - 1
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 10] + bytes(len(content) - len(content) // 10 - 4) + content[-4:])
    data = read_image(path).data
    assert np.allclose(data.plane(first_stored), values[::-1, ::-1, 0].T)
    with pytest.raises(FileFormatError, match="damaged or cut short"):
        np.asarray(data)


def test_an_array_converts_and_copies_as_numpy_asks(tmp_path: Path) -> None:
    data = read_image(save(tmp_path / "a.nii.gz", counting())).data
    assert np.asarray(data, dtype=np.float64).dtype == np.float64
    assert np.array(data).flags.writeable
    assert np.shares_memory(np.asarray(data), np.asarray(data))


def test_a_lazy_array_travels_without_its_pixels(tmp_path: Path) -> None:
    data = read_image(save(tmp_path / "a.nii.gz", np.zeros((64, 64, 64), np.int16))).data
    assert isinstance(data, NiftiArray)
    np.asarray(data)
    packed = pickle.dumps(data)
    assert len(packed) < 10_000
    arrived = pickle.loads(packed)
    assert not arrived.is_read
    np.testing.assert_array_equal(np.asarray(arrived), np.asarray(data))


def test_content_counts_and_not_the_ending(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.nii", counting())
    (tmp_path / "packed.nii").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "unpacked.nii.gz").write_bytes(plain.read_bytes())
    for name in ("packed.nii", "unpacked.nii.gz"):
        np.testing.assert_array_equal(read_image(tmp_path / name).volume(), read_image(plain).volume())


def test_a_gzip_file_of_several_members_opens(tmp_path: Path) -> None:
    content = save(tmp_path / "plain.nii", counting()).read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]) + gzip.compress(b""))
    np.testing.assert_array_equal(read_image(path).volume(), read_image(tmp_path / "plain.nii").volume())


def test_bytes_after_the_pixels_do_no_harm(tmp_path: Path) -> None:
    content = save(tmp_path / "plain.nii", counting()).read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content + b"more"))
    np.testing.assert_array_equal(read_image(path).volume(), read_image(tmp_path / "plain.nii").volume())


def test_a_damaged_sform_gives_way_to_the_qform(tmp_path: Path) -> None:
    affine = np.diag([-2.0, 3.0, 4.0, 1.0])
    image = nibabel.Nifti1Image(counting(), affine)
    image.set_qform(affine, 1)
    nibabel.save(image, tmp_path / "a.nii")
    patch(tmp_path / "a.nii", srow_x=0, srow_y=0, srow_z=0)
    contents = read_nifti(tmp_path / "a.nii", "T1")
    assert "was ignored" in contents.notes[0]
    np.testing.assert_allclose(contents.images[0].geometry.stored_affine, affine, atol=1e-6)


def turned(tmp_path: Path, rotation: NDArray[np.float64], qfac: float = 1.0) -> tuple[Path, NDArray[np.float64]]:
    """Write a file with a qform alone, and return the affine that it states."""
    affine = np.eye(4)
    affine[:3, :3] = rotation * [2.0, 3.0, 4.0 * qfac]
    affine[:3, 3] = 10, -20, 30
    image = nibabel.Nifti1Image(counting(), None)
    image.set_qform(affine, 1)
    nibabel.save(image, tmp_path / "a.nii")
    return tmp_path / "a.nii", affine


@pytest.mark.parametrize("qfac", [0.0, 0.5, 7.0, np.nan])
def test_a_qfac_that_is_not_negative_is_one(tmp_path: Path, qfac: float) -> None:
    path, affine = turned(tmp_path, Rotation.from_euler("xyz", (20, 30, 40), degrees=True).as_matrix())
    contents = read_nifti(patch(path, pixdim=[qfac, 2, 3, 4, 1, 1, 1, 1]), "T1")
    geometry = contents.images[0].geometry
    assert geometry.is_placed
    assert contents.notes == (
        f"the volume lies oblique in the scanner, by {geometry.obliquity_degrees:.1f} degrees; "
        "it is shown along its own axes",
    )
    np.testing.assert_allclose(geometry.stored_affine, affine, atol=1e-5)


def test_a_negative_qfac_mirrors_the_third_axis(tmp_path: Path) -> None:
    path, affine = turned(tmp_path, np.eye(3), qfac=-1.0)
    for qfac in (-1.0, -0.5):
        again = read_image(patch(path, pixdim=[qfac, 2, 3, 4, 1, 1, 1, 1]))
        np.testing.assert_allclose(again.geometry.stored_affine, affine, atol=1e-5)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1), (2, -1, 3)])
@pytest.mark.parametrize("excess", [1.0, 1 + 1e-7, 1 + 1e-5, 1.001, 1.004])
def test_a_half_turn_whose_quaternion_is_longer_than_one_is_normalised(
    tmp_path: Path, axis: tuple[int, int, int], excess: float
) -> None:
    unit = np.array(axis) / np.linalg.norm(axis)
    path, affine = turned(tmp_path, Rotation.from_rotvec(np.pi * unit).as_matrix())
    b, c, d = unit * excess
    geometry = read_image(patch(path, quatern_b=b, quatern_c=c, quatern_d=d)).geometry
    assert geometry.is_placed
    np.testing.assert_allclose(geometry.stored_affine, affine, atol=4e-3)


@pytest.mark.parametrize(
    ("fields", "is_placed", "says"),
    [
        ({"quatern_b": 0.9, "quatern_c": 0.9}, False, "was ignored"),
        ({"quatern_b": np.nan}, False, "was ignored"),
        ({"qoffset_x": np.inf}, False, "was ignored"),
        ({"qform_code": 0}, False, "does not say how the volume lies"),
        ({"qform_code": -1}, False, "unknown code -1 and was ignored"),
        ({"qform_code": 9}, True, "unknown code 9 and was used all the same"),
        ({"sform_code": 1, "srow_x": 0, "srow_y": 0, "srow_z": 0}, True, "was ignored"),
        ({"sform_code": 1, "srow_x": np.nan}, True, "was ignored"),
        ({"sform_code": 1, "srow_x": [1, 0, 0, 0], "srow_y": [1, 0, 0, 0], "srow_z": [0, 0, 1, 0]}, True, "ignored"),
        (
            {"sform_code": 1, "srow_x": [-2, 0, 0, 0], "srow_y": [0, 3, 0, 0], "srow_z": [0, 0, 4, 0]},
            True,
            "left and right are swapped if the qform is right",
        ),
    ],
)
def test_a_position_is_used_where_one_is_usable_and_what_is_odd_is_said(
    tmp_path: Path, fields: dict[str, object], is_placed: bool, says: str
) -> None:
    path, _ = turned(tmp_path, np.eye(3))
    contents = read_nifti(patch(path, **fields), "T1")
    geometry = contents.images[0].geometry
    assert geometry.is_placed is is_placed
    assert any(says in note for note in contents.notes), contents.notes


def test_a_missing_voxel_size_is_one_millimetre(tmp_path: Path) -> None:
    path = patch(save(tmp_path / "a.nii", counting()), sform_code=0, qform_code=0, pixdim=[1, 0, 2, 0, 1, 1, 1, 1])
    contents = read_nifti(path, "T1")
    assert contents.images[0].geometry.voxel_size_mm == (1.0, 2.0, 1.0)
    assert "the header states a voxel size of 0; 1 mm is taken" in contents.notes


@pytest.mark.parametrize(("unit", "millimetres"), [(1, 1000.0), (2, 1.0), (3, 0.001), (0, 1.0)])
def test_other_units_become_millimetres(tmp_path: Path, unit: int, millimetres: float) -> None:
    contents = read_nifti(patch(save(tmp_path / "a.nii", counting()), xyzt_units=unit), "T1")
    assert contents.images[0].geometry.voxel_size_mm == pytest.approx((millimetres,) * 3)
    assert bool(contents.notes) == (millimetres != 1.0)


@pytest.mark.parametrize(("edges", "is_said"), [((1, 1, 1), True), ((2, 3, 4.02), False), ((2, 4, 3), True)])
def test_voxel_sizes_that_contradict_the_sform_are_said(
    tmp_path: Path, edges: tuple[float, float, float], is_said: bool
) -> None:
    affine = np.array([[-2.0, 0, 0, 11], [0, 3, 0, -5], [0, 0, 4, 7], [0, 0, 0, 1]])
    path = patch(save(tmp_path / "a.nii", counting(), affine), qform_code=0, pixdim=[1, *edges, 1, 1, 1, 1])
    notes = [note for note in read_nifti(path, "T1").notes if "pixdim" in note]
    assert bool(notes) == is_said
    assert not notes or (
        "2 x 3 x 4 (sform)" in notes[0] and f"{' x '.join(f'{e:g}' for e in edges)} (pixdim)" in notes[0]
    )
    assert read_image(path).geometry.voxel_size_mm == pytest.approx((4, 3, 2))
