"""Masks from files: every type, either place of DC, and everything that is no mask."""

import io
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from numpy.typing import NDArray
from PIL import Image

from mrviewer.errors import FileFormatError, MaskError
from mrviewer.sampling import MaskSetting, family_of, load_mask, make_mask, mask_families

SHAPE = (40, 36)
POINTS = make_mask("poisson", SHAPE, 4, 0.15).pattern
LINES = make_mask("random", SHAPE, 3, 0.2).pattern


def save(folder: Path, name: str, array: NDArray[np.generic]) -> Path:
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        scipy.io.savemat(path, {"pattern": array})
    return path


@pytest.mark.parametrize(
    "array",
    [
        POINTS,
        POINTS.astype(np.uint8),
        POINTS.astype(np.uint8) * 255,
        POINTS.astype(np.float64),
        POINTS.astype(np.float32) * 255,
        POINTS.astype(np.int16),
        POINTS.astype(np.complex64),
        POINTS.astype(">f8"),
        np.asfortranarray(POINTS),
    ],
    ids=lambda array: f"{array.dtype.str}-{float(abs(array.max())):g}",
)
@pytest.mark.parametrize("suffix", [".npy", ".mat"])
def test_numbers_of_every_kind(tmp_path: Path, suffix: str, array: NDArray[np.generic]) -> None:
    mask = load_mask(save(tmp_path, f"mask{suffix}", array), SHAPE)
    np.testing.assert_array_equal(mask.pattern, POINTS)
    assert mask.pattern.dtype == bool


@pytest.mark.parametrize(
    "array",
    [
        POINTS,
        POINTS.astype(np.uint8),
        POINTS.astype(np.uint8) * 255,
        POINTS.astype(np.uint16) * 65535,
        np.repeat(POINTS[..., None], 3, axis=2).astype(np.uint8) * 255,
    ],
    ids=["1 bit", "0-1", "8 bit", "16 bit", "RGB"],
)
def test_black_and_white_images(tmp_path: Path, array: NDArray[np.generic]) -> None:
    mask = load_mask(save(tmp_path, "mask.png", array), SHAPE)
    np.testing.assert_array_equal(mask.pattern, POINTS)


def test_images_with_a_palette_or_alpha(tmp_path: Path) -> None:
    grey = Image.fromarray(POINTS.astype(np.uint8) * 255)
    for mode in ("P", "LA", "RGBA"):
        grey.convert(mode).save(tmp_path / f"{mode}.png")
        np.testing.assert_array_equal(load_mask(tmp_path / f"{mode}.png").pattern, POINTS)


def test_request_is_empty_and_name_is_the_path(tmp_path: Path) -> None:
    path = save(tmp_path, "mask.npy", POINTS)
    mask = make_mask(f"file:{path}", SHAPE, acceleration=9, seed=4)
    assert mask == load_mask(path, SHAPE) == load_mask(str(path))
    assert mask.name == f"file:{path}"
    assert (mask.acceleration, mask.center_fraction, mask.seed) == (None, None, None)


@pytest.mark.parametrize(
    "array", [LINES[0], LINES, np.repeat(LINES, 40, axis=0), LINES[None]], ids=lambda array: str(array.shape)
)
def test_lines_in_every_shape(tmp_path: Path, array: NDArray[np.bool_]) -> None:
    mask = load_mask(save(tmp_path, "lines.npy", array), SHAPE)
    assert mask.is_line_mask
    np.testing.assert_array_equal(mask.pattern, LINES)


def test_lines_along_x_stay_a_pattern_of_points(tmp_path: Path) -> None:
    rows = np.repeat(make_mask("random", (36, 40), 3, 0.2).pattern.T, 36, axis=1)
    mask = load_mask(save(tmp_path, "rows.npy", rows), SHAPE)
    assert not mask.is_line_mask
    np.testing.assert_array_equal(mask.pattern, rows)


def test_stack_takes_the_first_or_the_one_asked_for(tmp_path: Path) -> None:
    stack = np.stack([make_mask("gaussian-2d", SHAPE, 4, 0.15, seed).pattern for seed in range(3)])
    path = save(tmp_path, "stack.npy", stack)
    first, last = load_mask(path, SHAPE), make_mask(f"file:{path}#2", SHAPE)
    np.testing.assert_array_equal(first.pattern, stack[0])
    np.testing.assert_array_equal(last.pattern, stack[2])
    assert "mask 0 of a stack of 3" in first.note
    assert "mask 2 of a stack of 3" in last.note
    with pytest.raises(MaskError, match=r"mask 3 of stack.npy was asked for but it holds 3; count from 0"):
        load_mask(f"{path}#3")
    with pytest.raises(MaskError, match=r"mask 1 of single.npy was asked for but it holds 1"):
        load_mask(f"{save(tmp_path, 'single.npy', POINTS)}#1")


def test_a_hash_may_be_a_part_of_the_name(tmp_path: Path) -> None:
    path = save(tmp_path, "a.npy", POINTS).rename(tmp_path / "scan#1.npy")
    np.testing.assert_array_equal(load_mask(path).pattern, POINTS)
    np.testing.assert_array_equal(load_mask(f"{path}#0").pattern, POINTS)


NAMES = [family.name for family in mask_families() if family.is_drawn]


@pytest.mark.parametrize("acceleration", [2, 4, 8])
@pytest.mark.parametrize("shape", [(218, 182), (155, 127)])
@pytest.mark.parametrize("name", NAMES)
def test_dc_is_found_at_either_place(tmp_path: Path, name: str, shape: tuple[int, int], acceleration: float) -> None:
    pattern = make_mask(name, shape, acceleration).pattern
    centered = load_mask(save(tmp_path, "centre.npy", pattern), shape)
    cornered = load_mask(save(tmp_path, "corner.npy", np.fft.ifftshift(pattern)), shape)
    family = family_of(name)
    is_regular = name == "equispaced" or not family.is_random
    if (is_regular and acceleration == 2) or MaskSetting.CENTER_FRACTION not in family.settings:
        # With a spacing of little more than two, the centre hardly stands out.
        assert "DC" in centered.note
        return
    np.testing.assert_array_equal(centered.pattern, pattern)
    assert "DC was found at the centre." in centered.note
    np.testing.assert_array_equal(cornered.pattern, pattern)
    assert "DC was found at the corner and moved to the centre." in cornered.note


def test_without_a_dense_place_dc_is_assumed_and_said(tmp_path: Path) -> None:
    pattern = np.zeros(62, dtype=bool)
    pattern[1::4] = True
    mask = load_mask(save(tmp_path, "even.npy", pattern))
    np.testing.assert_array_equal(mask.pattern[0], pattern)
    assert "DC is assumed at the centre" in mask.note
    assert "same mask" in load_mask(save(tmp_path, "ones.npy", np.ones(64, dtype=bool))).note


def test_a_variable_of_no_known_class_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "mask.mat", POINTS)
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[128 + 16] = 18
    path.write_bytes(damaged + sound[128:])
    with pytest.raises(FileFormatError, match=r"mask\.mat .*pattern is stored as something that is unknown"):
        load_mask(path)


def test_matlab_variables(tmp_path: Path) -> None:
    path = tmp_path / "two.mat"
    scipy.io.savemat(path, {"fov": 220.0, "Mask": POINTS})
    np.testing.assert_array_equal(load_mask(path, SHAPE).pattern, POINTS)
    scipy.io.savemat(path, {"one": POINTS, "two": POINTS})
    with pytest.raises(MaskError, match=r"two.mat holds one, two; save one variable, or name it mask"):
        load_mask(path)
    scipy.io.savemat(path, {"mask": scipy.sparse.csc_matrix(POINTS.astype(float))})
    np.testing.assert_array_equal(load_mask(path, SHAPE).pattern, POINTS)
    scipy.io.savemat(path, {"mask": {"a": 1}})
    with pytest.raises(MaskError, match="holds no array of numbers"):
        load_mask(path)
    scipy.io.savemat(path, {})
    with pytest.raises(MaskError, match="holds no array of numbers"):
        load_mask(path)


def matlab_73(path: Path, array: NDArray[np.generic]) -> Path:
    """Write what MATLAB 7.3 writes: HDF5 behind a header of 512 bytes, axes in the opposite order."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        file["mask"] = array.T
    header = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(header)
    return path


def test_matlab_73_is_read_where_h5py_is_installed(tmp_path: Path) -> None:
    mask = load_mask(matlab_73(tmp_path / "new.mat", POINTS.astype(np.uint8)), SHAPE)
    np.testing.assert_array_equal(mask.pattern, POINTS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 8)), "holds only zeros, which acquires nothing"),
        (np.zeros((0, 8)), r"holds an array of shape \(0, 8\)"),
        (np.zeros(0), r"holds an array of shape \(0,\)"),
        (np.float64(1), r"holds an array of shape \(\)"),
        (np.ones((1, 1, 4, 4)), r"holds an array of shape \(1, 1, 4, 4\)"),
        (np.arange(64).reshape(8, 8), "holds 64 different values; a mask holds 0 and 1"),
        (np.where(np.eye(8), 2, 0), "holds 0 and 2; a mask holds 0 and 1"),
        (np.where(np.eye(8), 255, 1), "holds 1 and 255; a mask holds 0 and 1"),
        (np.where(np.eye(8), -1, 0), "holds -1 and 0"),
        (np.where(np.eye(8), np.nan, 0), "holds values that are not finite"),
        (np.where(np.eye(8), np.inf, 0), "holds values that are not finite"),
        (np.where(np.eye(8), 1j, 0), "a mask holds 0 and 1"),
        (np.linspace(-0.5, 0.5, 60).reshape(30, 2), "looks like coordinates of samples"),
        (np.array([["0", "1"], ["1", "0"]]), "holds <U1 values; a mask holds 0 and 1"),
        (np.ones((8, 1)), "transpose it so that lines run along y"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_mask_is_refused(tmp_path: Path, array: NDArray[np.generic], message: str) -> None:
    with pytest.raises(MaskError, match=message):
        load_mask(save(tmp_path, "array.npy", array))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((36, 40), r"is \(40, 36\) but k-space is \(36, 40\) \(y, x\); transpose the mask"),
        ((40, 37), r"has \(40, 36\) samples .* give a mask of 37 lines or of 40 x 37 samples"),
    ],
)
def test_masks_of_another_size_are_refused(tmp_path: Path, shape: tuple[int, int], message: str) -> None:
    with pytest.raises(MaskError, match=message):
        load_mask(save(tmp_path, "mask.npy", POINTS), shape)


def test_lines_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match=r"has 36 lines but k-space is \(36, 40\)"):
        load_mask(save(tmp_path, "mask.npy", LINES[0]), (36, 40))


def test_a_huge_array_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.bool_, shape=(5000, 5000)).flush()
    with pytest.raises(MaskError, match="masks up to 4096 x 4096 are read"):
        load_mask(path)


def claims_to_be_large() -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.npy", b""),
        ("page.npy", b"<html>not found</html>"),
        ("pickle.npy", pickle.dumps([1, 2])),
        ("large.npy", claims_to_be_large()),
        ("page.png", b"<html>not found</html>"),
        ("empty.png", b""),
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"),
        ("page.mat", b"<html>not found</html>" * 20),
        ("empty.mat", b""),
        ("cut.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0f\x00\x00\x00\xff\x00\x00\x00abc"),
        ("bad.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + zlib.compress(b"none")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        FileFormatError, match=rf"{name} (is|cannot be read) .*; (save it again|copy or download it again|download)"
    ):
        load_mask(tmp_path / name)


@pytest.mark.parametrize("name", ["empty.npy", "empty.png", "empty.mat"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(FileFormatError, match=rf"^{name} is an empty file; copy or download it again$"):
        load_mask(tmp_path / name)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileFormatError, match=r"no readable .npy array of numbers"):
        load_mask(tmp_path / "objects.npy")


def test_a_truncated_array_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "mask.npy", POINTS)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FileFormatError, match=r"no readable .npy array"):
        load_mask(path)


@pytest.mark.parametrize("name", ["masks.npz", "mask.txt", "mask"])
def test_other_types_are_refused(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "masks.npz", POINTS)
    with pytest.raises(MaskError, match=rf"{name} is not a mask file; give a .npy, .png or .mat file"):
        load_mask(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match=r"there is no mask file .*gone.npy; check the path"):
        load_mask(tmp_path / "gone.npy")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(MaskError, match="there is no mask file"):
        load_mask(tmp_path / "folder.npy")


def test_grey_coloured_and_transparent_images_are_refused(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    with pytest.raises(MaskError, match="holds 256 different values"):
        load_mask(save(tmp_path, "grey.png", grey))
    with pytest.raises(MaskError, match="has colours"):
        load_mask(save(tmp_path, "colour.png", np.stack([grey, grey, 255 - grey], axis=2)))
    with pytest.raises(MaskError, match="has transparent pixels"):
        load_mask(save(tmp_path, "clear.png", np.stack([grey] * 4, axis=2)))


def test_published_masks(shared_data: Path) -> None:
    path = shared_data / "sampling_masks" / "R5_218x170_first20.npy"
    stack = np.load(path)
    for number in range(20):
        mask = load_mask(f"{path}#{number}", (218, 170))
        np.testing.assert_array_equal(mask.pattern, stack[number])
        assert "DC was found at the centre" in mask.note
        assert mask.achieved_acceleration == pytest.approx(stack[number].size / stack[number].sum())


@pytest.mark.parametrize(
    ("file", "shape", "acquired"),
    [
        ("image_t2star_and_masks/2d_cartesian_poisson_disk.npy", (128, 128), 0.12518),
        ("image_t2star_and_masks/cartesian_mask_2d_bool.npy", (512, 512), 0.19141),
        ("kspace_brain8ch_undersampled/derived/sampling_mask_230x180.npy", (230, 180), 0.12435),
        ("kspace_brain4ch_t2/derived/mask_random_R4_cf08_256.npy", (256, 256), 59 / 256),
    ],
)
def test_real_masks(shared_data: Path, file: str, shape: tuple[int, int], acquired: float) -> None:
    mask = load_mask(shared_data / file, shape)
    assert 1 / mask.achieved_acceleration == pytest.approx(acquired, abs=1e-5)
    assert "DC was found at the centre" in mask.note


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "image_t2star_and_masks/samples_radial_GA_nc64_ns512.npy",
            "32768 rows of 2 values and looks like coordinates",
        ),
        ("image_t2star_and_masks/example_mri_ref_image_2d.npy", "different values; a mask holds 0 and 1"),
        ("oddities_broken/kspace/mask_wrong_length_300.npy", r"has 300 lines but k-space is \(256, 256\)"),
        ("kspace_brain8ch_undersampled/cartesian_ksp.npy", "different values"),
    ],
)
def test_real_files_that_are_no_masks(shared_data: Path, file: str, message: str) -> None:
    with pytest.raises(MaskError, match=message):
        load_mask(shared_data / file, (256, 256))
