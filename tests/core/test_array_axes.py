"""Which axis of an array is what: tried on its values in every format, asked about in doubt, and advice that works."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_files import coil_images, kspace, object_image, write_bart
from scipy.io import savemat

from mrviewer.errors import FileFormatError
from mrviewer.physics import fft2c
from mrviewer.raw.arrays.array_layout import Domain
from mrviewer.raw.arrays.axis_evidence import likeness
from mrviewer.readers import open_study
from mrviewer.readers.arrays.numpy_array import asks_for_axes, describe_array

NAMES = ("slice", "coil", "y", "x")
HEIGHT, WIDTH = 48, 40
Values = NDArray[np.complex64]


def slices(n_slices: int, n_coils: int) -> Values:
    """K-space ``(slice, coil, y, x)`` of objects that differ from slice to slice."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    stack = coil_images(n_slices, n_coils, HEIGHT, WIDTH)
    for plane in stack:
        for _ in range(4):
            middle, radius = rng.uniform((14, 12), (HEIGHT - 14, WIDTH - 12)), rng.uniform(2, 6)
            plane *= np.where(np.hypot(y - middle[0], x - middle[1]) < radius, rng.uniform(0.2, 2.5), 1)
    return fft2c(stack).astype(np.complex64)


def write_h5(path: Path, values: Values) -> Path:
    with h5py.File(path, "w") as file:
        file["kspace"] = values
    return path


def write_mat73(path: Path, values: Values) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["kspace"] = values.T
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


def write_npy(path: Path, values: Values) -> Path:
    np.save(path, values)
    return path


def write_npz(path: Path, values: Values) -> Path:
    np.savez_compressed(path, kspace=values)
    return path


def write_mat(path: Path, values: Values) -> Path:
    savemat(path, {"kspace": values})
    return path


def write_cfl(path: Path, values: Values) -> Path:
    """Axes in the order of the array, whatever BART means by their places."""
    return write_bart(path, values.T)


FORMATS: dict[str, Callable[[Path, Values], Path]] = {
    "a.npy": write_npy, "b.npz": write_npz, "c.mat": write_mat, "d.mat": write_mat73, "e.h5": write_h5,
}  # fmt: skip


def named(axes: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the difference of y and x, which nothing tells."""
    return tuple("picture" if axis in ("y", "x") else axis for axis in axes)


@pytest.mark.parametrize("sizes", [(3, 10), (10, 3), (4, 4)])
@pytest.mark.parametrize("domain", list(Domain))
def test_values_tell_coils_from_slices_wherever_they_stand(
    tmp_path: Path, sizes: tuple[int, int], domain: Domain
) -> None:
    samples = slices(*sizes)
    if domain is Domain.IMAGE:
        samples = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(samples, axes=(2, 3))), axes=(2, 3))
    for order in itertools.permutations(range(4)):
        path = write_npy(tmp_path / "scan.npy", np.ascontiguousarray(samples.transpose(order), np.complex64))
        facts = describe_array(path)
        assert named(facts.guess.axes) == named(tuple(NAMES[axis] for axis in order)), order
        assert (facts.guess.domain, facts.doubt) == (domain, "")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3), (0, 2, 3, 1), (2, 3, 1, 0)])
def test_every_format_is_tried(tmp_path: Path, name: str, order: tuple[int, ...]) -> None:
    samples = slices(3, 10)
    study = open_study(FORMATS[name](tmp_path / name, np.ascontiguousarray(samples.transpose(order))))
    [raw] = study.raw.values()
    assert raw.shape == (3, 10, HEIGHT, WIDTH)
    assert np.allclose(raw.kspace(1), samples[1], atol=1e-5 * np.abs(samples).max())


@pytest.mark.parametrize("acceleration", [1, 3])
def test_a_single_axis_is_told_too(tmp_path: Path, acceleration: int) -> None:
    samples = slices(6, 6)
    samples[..., [column for column in range(WIDTH) if column % acceleration and abs(column - 20) > 6]] = 0
    for values, axis in ((samples[2], "coil"), (samples[:, 2], "slice")):
        facts = describe_array(write_npy(tmp_path / "scan.npy", values))
        assert (facts.guess.axes, facts.doubt) == ((axis, "y", "x"), "")


def test_times_are_told_by_their_sampling_and_by_their_likeness(tmp_path: Path) -> None:
    samples = slices(3, 5)
    rng = np.random.default_rng(0)
    noise = 1e-3 * np.abs(samples).max() * rng.standard_normal((4, *samples.shape))
    repeated = (samples * np.linspace(1, 1.3, 4)[:, None, None, None, None] + noise).astype(np.complex64)
    facts = describe_array(write_npy(tmp_path / "a.npy", repeated.transpose(1, 0, 2, 3, 4)))
    assert (facts.guess.axes, facts.doubt) == (("slice", "frame", "coil", "y", "x"), "")
    interleaved = np.stack([samples, samples])
    interleaved[0, ..., ::2] = interleaved[1, ..., 1::2] = 0
    facts = describe_array(write_h5(tmp_path / "b.h5", interleaved))
    assert (facts.guess.axes, facts.doubt) == (("frame", "slice", "coil", "y", "x"), "")


def test_a_third_axis_of_kspace_is_told(tmp_path: Path) -> None:
    volume = np.fft.fftshift(np.fft.fft(slices(12, 4), axis=0), axes=0).astype(np.complex64)
    facts = describe_array(write_npy(tmp_path / "a.npy", volume.transpose(1, 0, 2, 3)))
    assert (facts.guess.axes, facts.doubt) == (("coil", "z", "y", "x"), "")


def test_an_image_of_bart_is_an_image_and_an_empty_first_axis_no_spoke(tmp_path: Path) -> None:
    image = object_image(64, 48).astype(np.complex64)
    study = open_study(write_bart(tmp_path / "recon.cfl", image))
    assert np.allclose(next(iter(study.images.values())).volume()[0], image.real, atol=1e-4)
    assert any("taken as an image" in note for note in study.notes)
    samples = kspace(1, 4, 64, 48)[0]
    [raw] = open_study(write_bart(tmp_path / "k.cfl", samples.transpose(1, 2, 0)[None])).raw.values()
    assert raw.shape == (1, 4, 64, 48)
    assert np.allclose(raw.kspace(0), samples)


def spokes() -> Values:
    """A radial scan ``(spoke, sample)``: every spoke goes through the middle of k-space."""
    along = np.linspace(-1, 1, 64)
    return np.stack([np.exp(-90 * along**2 + 1j * turn) for turn in range(50)]).astype(np.complex64)


@pytest.mark.parametrize("values", ["noise", "hybrid", "radial", "two", "many"])
def test_doubt_is_a_sentence_whose_advice_works(tmp_path: Path, values: str) -> None:
    rng = np.random.default_rng(0)
    samples = slices(3, 10)
    path = tmp_path / "scan.npz"
    if values == "noise":
        np.savez(path, kspace=(rng.standard_normal((3, 10, 32, 40)) + 1j).astype(np.complex64))
    elif values == "hybrid":
        np.savez(path, kspace=np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(samples, axes=3)), axes=3))
    elif values == "radial":
        np.savez(path, kspace=np.stack([spokes()] * 4) * rng.standard_normal((4, 1, 1)))
    elif values == "two":
        np.savez(path, first=samples, second=samples[:, :9])
    else:
        path = write_bart(tmp_path / "scan.cfl", samples.transpose(2, 3, 1, 0)[:, :, None])
    with pytest.raises(FileFormatError, match=r"open it as (kspace|image)=scan") as refusal:
        open_study(path)
    assert asks_for_axes(path)
    assert str(tmp_path) not in str(refusal.value)
    for advice in re.findall(r"(?:kspace|image)=\S+?(?=,? or|;|$)", str(refusal.value)):
        assert open_study(advice.replace("=", f"={tmp_path}/", 1)).modalities, advice


@pytest.mark.parametrize("axis", [0, -1])
def test_real_and_imaginary_part_side_by_side_are_not_an_image(tmp_path: Path, axis: int) -> None:
    samples = slices(1, 4)[0]
    np.save(tmp_path / "scan.npy", np.stack([samples.real, samples.imag], axis))
    with pytest.raises(FileFormatError, match=r"real and imaginary part of k-space along axis .* one complex array"):
        open_study(tmp_path / "scan.npy")


def test_notes_give_advice_that_works_and_tell_the_array(tmp_path: Path) -> None:
    for name, write in FORMATS.items():
        study = open_study(write(tmp_path / name, slices(3, 10).transpose(1, 0, 2, 3)))
        [advice] = {match[0] for note in study.notes if (match := re.search(r"kspace=\S+(?= with other axes)", note))}
        [raw] = open_study(advice.replace("=", f"={tmp_path}/", 1)).raw.values()
        assert raw.shape == (3, 10, HEIGHT, WIDTH)


def test_axes_can_be_named_for_every_format(tmp_path: Path) -> None:
    samples = slices(3, 10)
    paths = [write(tmp_path / name, samples) for name, write in FORMATS.items()]
    paths.append(write_bart(tmp_path / "f.cfl", samples.transpose(3, 2, 1, 0)))
    for path in paths:
        for domain in Domain:
            [raw] = open_study(f"{domain}={path}:coil,slice,y,x,voxel=5x1x2").raw.values()
            assert raw.shape == (10, 3, HEIGHT, WIDTH)
            assert raw.geometry.voxel_size_mm == (5.0, 1.0, 2.0)


@pytest.mark.parametrize("name", ["c.mat", "b.npz", "e.h5"])
def test_the_kspace_is_opened_and_not_the_sensitivities_beside_it(tmp_path: Path, name: str) -> None:
    samples, maps = slices(1, 8)[0], coil_images(1, 8, HEIGHT, WIDTH)[0]
    for scan, sens in (("ksp", "sens"), ("data", "csm"), ("kspace_full", "maps"), ("kdata", "a_large_image")):
        arrays = {sens: maps, scan: samples, "mask": np.ones((HEIGHT, WIDTH))}
        path = tmp_path / name
        if name == "c.mat":
            savemat(path, arrays)
        elif name == "b.npz":
            np.savez(path, **arrays)  # type: ignore[arg-type]
        else:
            with h5py.File(path, "w") as file:
                for key, values in arrays.items():
                    file[key] = values
        study = open_study(path)
        [raw] = study.raw.values()
        assert np.allclose(raw.kspace(0), samples), scan
        assert any(f"the array {scan} is open, beside" in note and sens in note for note in study.notes)


def test_an_npz_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.ones((4, 40, 40), np.complex64))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace(b"(4, 40, 40)", b"(9, 99, 99)"))
    with pytest.raises(FileFormatError, match=r"a.npz"):
        open_study(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", a=np.array([{"code": 1}], object))
    with pytest.raises(FileFormatError, match=r"b.npz"):
        open_study(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes(b"no zip at all")
    with pytest.raises(FileFormatError, match=r"c.npz is a text file"):
        open_study(tmp_path / "c.npz")


@pytest.mark.parametrize("scale", [1e-45, 1e-40, 1e-37, 1.0, 1e38])
def test_values_at_the_ends_of_single_precision_are_compared_or_left_alone(scale: float) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(3, 40, 40)) + 1j * rng.normal(size=(3, 40, 40))
    with np.errstate(over="ignore", under="ignore"):
        planes = (values * scale).astype(np.complex64)
    found, usual = likeness(planes, is_kspace=True), likeness(values.astype(np.complex64), is_kspace=True)
    assert usual is not None
    assert found is None or found.local == pytest.approx(usual.local, rel=1e-3)
    assert (found is None) == (scale < 1e-37 or scale > 1e37)


def test_slices_of_a_matlab_file_are_no_series(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stack = np.abs(coil_images(6, 1, HEIGHT, WIDTH)[:, 0]) * rng.uniform(0.2, 2, (6, HEIGHT // 8, WIDTH // 8)).repeat(
        8, axis=1
    ).repeat(8, axis=2)
    savemat(tmp_path / "a.mat", {"volume": stack})
    [image] = open_study(tmp_path / "a.mat").images.values()
    assert (image.n_frames, image.volume().shape) == (1, (6, HEIGHT, WIDTH))
    savemat(tmp_path / "b.mat", {"volume": stack[:1] * np.linspace(1, 2, 6)[:, None, None]})
    [image] = open_study(tmp_path / "b.mat").images.values()
    assert image.n_frames == 6
