"""Raw files of fastMRI, BART, Siemens and arrays open as one thing: the same image, whatever the format."""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from raw_files import (
    HEIGHT,
    N_COILS,
    WIDTH,
    coil_images,
    header,
    kspace,
    lines_of,
    object_image,
    write_bart,
    write_fastmri,
    write_ismrmrd,
)
from scipy.io import savemat
from skimage.metrics import structural_similarity

from mrviewer.array_files.hdf5_file import is_complex
from mrviewer.coils import root_sum_of_squares
from mrviewer.errors import FileFormatError, InputError, MaskError
from mrviewer.physics import fft2c, ifft2c
from mrviewer.raw import coil_images as images_of
from mrviewer.raw import coil_maps as maps_of
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain
from mrviewer.readers import open_study
from mrviewer.readers.arrays.numpy_array import describe_array
from mrviewer.reconstruction.acquisition import measure, reference_slice, within_acquired
from mrviewer.sampling import Mask, make_mask
from mrviewer.study import RawData, Study

STACK = kspace(2)
XML = header((HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 1), (HEIGHT * 2.0, WIDTH * 1.5, 4.0))


def only_raw(study: Study) -> RawData:
    [raw] = study.raw.values()
    return raw


def close(first: NDArray[np.generic], second: NDArray[np.generic]) -> bool:
    return bool(np.allclose(first, second, atol=1e-5 * np.abs(second).max()))


def refusal_of(path: Path) -> str:
    """Sentence with which a file is refused, which names it without its folder; empty if it opens and can be read."""
    try:
        for raw in open_study(path).raw.values():
            raw.kspace(0)
    except InputError as error:
        return str(error).replace(str(path.parent), "\n")
    return ""


def test_fastmri_files_open_slice_by_slice(tmp_path: Path) -> None:
    study = open_study(write_fastmri(tmp_path / "FLAIR.h5", STACK, XML))
    raw = study.raw["FLAIR"]
    assert raw.shape == (2, N_COILS, HEIGHT, WIDTH)
    assert close(raw.kspace(1), STACK[1])
    assert study.geometry().voxel_size_mm == (4.0, 2.0, 1.5)
    assert close(study.images["FLAIR"].volume()[1], np.abs(reference_slice(raw, 1)))


def test_the_readout_of_fastmri_loses_its_oversampling_along_either_axis(tmp_path: Path) -> None:
    wide = np.zeros((1, N_COILS, 2 * HEIGHT, WIDTH), np.complex64)
    wide[:, :, HEIGHT // 2 : -HEIGHT // 2] = coil_images()
    xml = header((2 * HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 1), (HEIGHT * 2.0, WIDTH * 1.5, 4.0))
    raw = only_raw(open_study(write_fastmri(tmp_path / "a.h5", fft2c(wide).astype(np.complex64), xml)))
    assert raw.shape == (1, N_COILS, HEIGHT, WIDTH)
    assert close(ifft2c(raw.kspace(0)), coil_images()[0])
    turned = np.ascontiguousarray(fft2c(wide).transpose(0, 1, 3, 2)).astype(np.complex64)
    raw = only_raw(open_study(write_fastmri(tmp_path / "b.h5", turned, xml)))
    assert close(ifft2c(raw.kspace(0)), coil_images()[0].transpose(0, 2, 1))


def test_single_coil_files_and_pairs_of_numbers_open(tmp_path: Path) -> None:
    raw = only_raw(open_study(write_fastmri(tmp_path / "a.h5", STACK[:, 0])))
    assert raw.shape == (2, 1, HEIGHT, WIDTH)
    assert np.allclose(raw.coil_maps(0).real ** 2 + raw.coil_maps(0).imag ** 2, 1, atol=1e-5)
    pairs = np.empty(STACK.shape, [("real", "<f4"), ("imag", "<f4")])
    pairs["real"], pairs["imag"] = STACK.real, STACK.imag
    assert close(only_raw(open_study(write_fastmri(tmp_path / "b.h5", pairs))).kspace(1), STACK[1])


def test_a_stored_mask_is_the_acquired_one_unless_there_is_signal_outside(tmp_path: Path) -> None:
    mask = np.zeros(WIDTH, np.float32)
    mask[::3] = 1
    mask[10:22] = 1
    raw = only_raw(open_study(write_fastmri(tmp_path / "a.h5", STACK * mask, XML, mask=mask)))
    assert raw.acquired is not None
    assert np.array_equal(raw.acquired[0], mask > 0)
    assert only_raw(open_study(write_fastmri(tmp_path / "b.h5", STACK, XML, mask=mask))).acquired is None


def test_the_name_of_the_acquisition_tells_the_modality(tmp_path: Path) -> None:
    for name, modality in (("AXT1POST", "T1Gd"), ("AXFLAIR", "FLAIR"), ("CORPDFS_FBK", "PD"), ("GRE", "unknown")):
        path = write_fastmri(tmp_path / "scan.h5", STACK, XML)
        with h5py.File(path, "a") as file:
            file.attrs["acquisition"] = name
        assert open_study(path).modalities == (modality,)


@pytest.mark.parametrize("asked", ["cfl", "hdr"])
def test_bart_files_open_by_either_name(tmp_path: Path, asked: str) -> None:
    values = STACK[0].transpose(1, 2, 0)[:, :, None]
    path = write_bart(tmp_path / "scan.cfl", values)
    assert close(only_raw(open_study(path.with_suffix(f".{asked}"))).kspace(0), STACK[0])


def test_bart_slices_are_slices(tmp_path: Path) -> None:
    values = STACK.transpose(2, 3, 1, 0).reshape(HEIGHT, WIDTH, 1, N_COILS, *[1] * 9, 2)
    raw = only_raw(open_study(write_bart(tmp_path / "scan.cfl", values)))
    assert close(raw.kspace(1), STACK[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Dimensions\n40 32 1 4\n", "holds 30,720 bytes and scan.hdr announces 40,960"),
        ("nothing\n", "gives no sizes"),
        ("# Dimensions\n-1 2\n", "gives no sizes"),
        ("# Dimensions\n40 32 1 1 3\n", "entries along axis 4 of BART"),
    ],
)
def test_bart_headers_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write_bart(tmp_path / "scan.cfl", STACK[0].transpose(1, 2, 0)[:, :, None])
    path.with_suffix(".hdr").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        open_study(path)


@pytest.mark.parametrize(
    ("axes", "order"),
    [("coil,y,x", (0, 1, 2)), ("y,x,coil", (1, 2, 0)), ("x,coil,y", (2, 0, 1))],
)
@pytest.mark.parametrize("corner", [False, True])
def test_arrays_open_by_the_axes_that_are_named(
    tmp_path: Path, axes: str, order: tuple[int, ...], corner: bool
) -> None:
    samples = np.fft.ifftshift(STACK[0], axes=(1, 2)) if corner else STACK[0]
    np.save(tmp_path / "scan.npy", samples.transpose(order))
    study = open_study(f"kspace={tmp_path / 'scan.npy'}:{axes},voxel=5x2x1.5{',corner' if corner else ''}")
    assert close(only_raw(study).kspace(0), STACK[0])
    assert study.geometry().voxel_size_mm == (5.0, 2.0, 1.5)


def test_axes_are_guessed_and_the_guess_is_told(tmp_path: Path) -> None:
    for name, values, axes, domain in (
        ("a", STACK, ("slice", "coil", "y", "x"), Domain.KSPACE),
        ("b", STACK[0].transpose(1, 2, 0), ("y", "x", "coil"), Domain.KSPACE),
        ("c", coil_images()[0], ("coil", "y", "x"), Domain.IMAGE),
        ("d", object_image(), ("y", "x"), Domain.IMAGE),
        # Twelve is a usual number of coils, and three is none.
        ("f", np.zeros((40, 32, 12, 3), np.complex64), ("y", "x", "coil", "slice"), Domain.KSPACE),
        ("g", np.zeros((12, 3, 40, 32), np.complex64), ("coil", "slice", "y", "x"), Domain.KSPACE),
    ):
        np.save(tmp_path / f"{name}.npy", values)
        guess = describe_array(tmp_path / f"{name}.npy").guess
        assert (guess.axes, guess.domain, guess.corner) == (axes, domain, False), name
    study = open_study(tmp_path / "b.npy")
    assert any("axes y,x,coil" in note for note in study.notes)
    np.save(tmp_path / "e.npy", np.fft.ifftshift(STACK[0], axes=(1, 2)))
    assert describe_array(tmp_path / "e.npy").guess.corner


def test_complex_matlab_arrays_open(tmp_path: Path) -> None:
    savemat(tmp_path / "scan.mat", {"img": coil_images()[0].transpose(1, 2, 0), "TR": 5.0})
    facts = describe_array(tmp_path / "scan.mat")
    assert (facts.name, facts.kind, facts.guess.axes) == ("img", "complex64", ("y", "x", "coil"))
    assert close(only_raw(open_study(tmp_path / "scan.mat")).kspace(0), STACK[0])
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        pairs = np.empty((N_COILS, WIDTH, HEIGHT), [("real", "<f4"), ("imag", "<f4")])
        pairs["real"], pairs["imag"] = STACK[0].transpose(0, 2, 1).real, STACK[0].transpose(0, 2, 1).imag
        file["k"] = pairs
    with (tmp_path / "new.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    assert close(only_raw(open_study(tmp_path / "new.mat")).kspace(0), STACK[0])


def test_a_third_axis_of_kspace_is_transformed(tmp_path: Path) -> None:
    images = np.stack([coil_images()[0] * (1 + z) for z in range(5)], axis=1)
    volume = fft2c(images)
    volume = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(volume, axes=1), axis=1, norm="ortho"), axes=1)
    np.save(tmp_path / "a.npy", volume.astype(np.complex64))
    raw = only_raw(open_study(f"{tmp_path / 'a.npy'}:coil,z,y,x"))
    assert raw.slice_axis == 0
    assert close(ifft2c(raw.kspace(3)), images[:, 3])
    pattern = np.random.default_rng(0).random((5, HEIGHT, 1)) < 0.5
    np.save(tmp_path / "b.npy", (volume * pattern).astype(np.complex64))
    raw = only_raw(open_study(f"{tmp_path / 'b.npy'}:coil,z,y,x"))
    assert (raw.slice_axis, raw.shape) == (2, (WIDTH, N_COILS, 5, HEIGHT))
    assert raw.acquired is not None
    assert np.array_equal(raw.acquired, pattern[..., 0])


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("coil,y", "name y and x"),
        ("coil,y,x,time", "no axis 'time'"),
        ("slice,coil,y,x", "3 axes .* and 4 were named"),
        ("coil,y,x,voxel=1x2", "give three edges"),
        ("coil,y,x,array=k", "one array without a name"),
    ],
)
def test_axes_that_do_not_fit_are_refused(tmp_path: Path, axes: str, message: str) -> None:
    np.save(tmp_path / "scan.npy", STACK[0])
    with pytest.raises(InputError, match=message):
        open_study(f"{tmp_path / 'scan.npy'}:{axes}")


def test_layouts_are_read_from_words() -> None:
    layout = ArrayLayout.parse("y,x,coil,image,corner,voxel=3x1x2,array=img")
    assert layout == ArrayLayout(("y", "x", "coil"), Domain.IMAGE, True, (3.0, 1.0, 2.0), "img")


def test_coils_and_maps_can_be_looked_at(tmp_path: Path) -> None:
    raw = only_raw(open_study(write_fastmri(tmp_path / "a.h5", STACK, XML)))
    assert close(images_of(raw, 1), coil_images(2)[1])
    maps = maps_of(raw, 0)
    assert (maps[:, object_image() == 0] == 0).mean() > 0.9
    assert np.allclose(np.sum(np.abs(maps) ** 2, axis=0)[object_image() > 0], 1, atol=1e-3)


def test_raw_data_travel_to_another_process_without_arrays(tmp_path: Path) -> None:
    study = open_study(write_fastmri(tmp_path / "a.h5", STACK, XML))
    raw = only_raw(study)
    raw.coil_maps(0)
    packed = pickle.dumps(study)
    assert len(packed) < 20_000
    assert np.array_equal(only_raw(pickle.loads(packed)).coil_maps(0), raw.coil_maps(0))


def test_a_mask_never_asks_for_more_than_was_acquired(tmp_path: Path) -> None:
    pattern = np.zeros((HEIGHT, WIDTH), bool)
    pattern[12:28, 10:22] = True
    pattern[::3, ::2] = True
    study = open_study(write_fastmri(tmp_path / "a.h5", STACK * pattern, XML))
    raw = only_raw(study)
    mask = make_mask("random", (HEIGHT, WIDTH), 2.0, seed=1)
    measured = measure(study, raw, mask, [0])
    assert np.array_equal(measured.mask.pattern, mask.pattern & pattern)
    assert not measured.images
    assert reference_slice(raw, 0) is None
    assert (
        within_acquired(make_mask("full", (HEIGHT, WIDTH)), raw).achieved_acceleration == pattern.size / pattern.sum()
    )
    outside = Mask(~pattern, "outside")
    with pytest.raises(MaskError, match="of which this scan acquired none"):
        measure(study, raw, outside, [0])


def test_arrays_that_announce_more_than_their_file_holds_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("kspace", (30000, 30000, 30000), "c8", chunks=(1, 100, 100))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.create_dataset("kspace", (2000, 16, 4000, 4000), "c8", chunks=(1, 1, 100, 100))
    shape = "(30000, 30000, 30000)"
    (tmp_path / "bomb.npy").write_bytes(
        b"\x93NUMPY\x01\x00v\x00"
        + f"{{'descr': '<c8', 'fortran_order': False, 'shape': {shape}, }}".ljust(118).encode()
    )
    (tmp_path / "bomb.cfl").write_bytes(bytes(64))
    (tmp_path / "bomb.hdr").write_text("# Dimensions\n30000 30000 30000\n")
    for name in ("bomb.h5", "other.h5", "bomb.npy", "bomb.cfl"):
        with pytest.raises(FileFormatError, match=name.partition(".")[0]):
            open_study(tmp_path / name)


def _fresh(folder: Path) -> list[Path]:
    write_fastmri(folder / "fastmri.h5", STACK[:1], XML)
    xml = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (WIDTH * 2.0, HEIGHT * 1.5, 3.0))
    write_ismrmrd(folder / "ismrmrd.h5", xml, lines_of(STACK[:1])[::4])
    write_bart(folder / "bart.cfl", STACK[0].transpose(1, 2, 0)[:, :, None])
    np.save(folder / "array.npy", STACK[0])
    savemat(folder / "old.mat", {"k": STACK[0]})
    return [folder / name for name in ("fastmri.h5", "ismrmrd.h5", "bart.cfl", "bart.hdr", "array.npy", "old.mat")]


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    _fresh(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fastmri.h5", "bart.hdr", "array.npy", "old.mat"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@example(changes=[(0.946627908869479, 127)], kept=1.0)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    kept=st.just(1.0) | st.floats(0, 1),
)
def test_damaged_files_open_or_are_refused(
    sound_files: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    changes: list[tuple[float, int]],
    kept: float,
) -> None:
    content = bytearray((sound_files / name).read_bytes())
    for place, value in changes:
        # Headers lie at the beginning of all these files.
        content[int(place * min(len(content), 2400))] = value
    del content[int(kept * len(content)) :]
    folder = tmp_path_factory.mktemp("damaged")
    if name == "bart.hdr":
        (folder / "bart.cfl").write_bytes((sound_files / "bart.cfl").read_bytes())
    (folder / name).write_bytes(content)
    assert refusal_of(folder / name).count("\n") == 0


def test_a_file_that_would_crash_the_library_is_refused(tmp_path: Path) -> None:
    path = write_fastmri(tmp_path / "FLAIR.h5", STACK[:1], XML)
    # The class of the header's type, a text of variable length, becomes a sequence of nobody knows what.
    text, nonsense = b"\x19\x01\x01\x00\x10\x00\x00\x00", b"\x19\x1d\x01\x00\x10\x00\x00\x00"
    assert text in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(text, nonsense))
    with pytest.raises(FileFormatError, match=r"FLAIR.h5 is damaged \(reading it crashes the HDF5 library\)"):
        open_study(path)


def test_complex_values_whose_parts_lie_on_each_other_are_refused() -> None:
    overlapping = np.dtype({"names": ["r", "i"], "formats": ["<f8", "<f4"], "offsets": [0, 4], "itemsize": 8})
    assert not is_complex(overlapping)
    assert is_complex(np.dtype([("r", "<f4"), ("i", "<f4")]))


# Real files --------------------------------------------------------------------------------------------------------

FORMS = (
    "derived/brain4ch_fastmri_layout.h5",
    "derived/brain4ch_ismrmrd.h5",
    "derived/brain4ch_ksp.cfl",
    "img_brain_4ch.mat",
)


@pytest.mark.parametrize("form", FORMS[1:])
def test_four_stored_forms_give_one_image(shared_data: Path, form: str) -> None:
    folder = shared_data / "kspace_brain4ch_t2"
    first, other = (open_study(f"T2={folder / name}") for name in (FORMS[0], form))
    assert np.allclose(other.raw["T2"].kspace(0), first.raw["T2"].kspace(0), atol=1e-9)
    volume = first.images["T2"].volume()
    assert np.allclose(other.images["T2"].volume(), volume, atol=1e-3 * volume.max())


def test_reference_metrics_of_real_data_are_reproduced(shared_data: Path) -> None:
    folder = shared_data / "kspace_brain4ch_t2"
    expected = json.loads((folder / "reference_metrics.json").read_text())["cases"]["zero_filled_random_R4_cf08"]
    samples = only_raw(open_study(folder / FORMS[0])).kspace(0).astype(np.complex128)
    mask = np.load(folder / "derived" / "mask_random_R4_cf08_256.npy")
    reference, image = (root_sum_of_squares(ifft2c(part)) for part in (samples, samples * mask))
    assert np.sum((reference - image) ** 2) / np.sum(reference**2) == pytest.approx(expected["nmse"], rel=1e-5)
    psnr = 10 * np.log10(reference.max() ** 2 / np.mean((reference - image) ** 2))
    assert psnr == pytest.approx(expected["psnr_db_range_refmax"], abs=1e-4)
    similarity = structural_similarity(reference, image, win_size=7, data_range=reference.max())
    assert similarity == pytest.approx(expected["ssim_win7_uniform_range_refmax"], abs=1e-5)


def test_the_combined_image_of_real_data_is_that_of_its_file(shared_data: Path) -> None:
    path = shared_data / "kspace_brain4ch_t2" / FORMS[0]
    with h5py.File(path) as file:
        stored = file["reconstruction_rss"][:]
    difference = open_study(path).images["T2"].volume() - stored
    # They differ by the noise of air, which a root of squares folds to positive values.
    assert np.linalg.norm(difference) < 0.03 * np.linalg.norm(stored)


@pytest.mark.slow
def test_siemens_raw_data_equal_their_conversion(shared_data: Path) -> None:
    pytest.importorskip("twixtools")
    folder = shared_data / "kspace_siemens_twix_phantom"
    twix = open_study(folder / "gre_2ch_2slices.dat")
    converted = only_raw(open_study(folder / "derived" / "gre_2ch_2slices_kspace_fastmri_layout.h5"))
    # The file repeats one slice; its conversion calls the repetitions slices.
    assert twix.modalities == ("unknown", "unknown repetition 2")
    for index, name in enumerate(twix.modalities):
        assert twix.raw[name].shape == (1, 2, 160, 160)
        assert np.array_equal(twix.raw[name].kspace(0), converted.kspace(index))
    assert twix.geometry().voxel_size_mm == (5.0, 1.375, 1.375)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # twixtools leaves its file open
def test_damaged_siemens_files_are_refused(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("twixtools")
    content = (shared_data / "kspace_siemens_twix_phantom" / "gre_2ch_2slices.dat").read_bytes()
    rng = np.random.default_rng(3)
    for number in range(12):
        damaged = bytearray(content[: rng.integers(200, len(content))] if number % 2 else content)
        for place in rng.integers(0, min(len(damaged), 20000), 30):
            damaged[place] = rng.integers(256)
        (tmp_path / "scan.dat").write_bytes(damaged)
        assert refusal_of(tmp_path / "scan.dat").count("\n") == 0


@pytest.mark.parametrize("name", ["cartesian_ksp.npy", "derived/brain8ch_undersampled_fastmri_layout.h5"])
def test_a_scan_acquired_undersampled_has_its_mask_and_no_reference(shared_data: Path, name: str) -> None:
    folder = shared_data / "kspace_brain8ch_undersampled"
    study = open_study(folder / name)
    raw = only_raw(study)
    assert raw.acquired is not None
    assert np.array_equal(raw.acquired, np.load(folder / "derived" / "sampling_mask_230x180.npy"))
    assert not study.images
    assert any("no reference and no error map" in note for note in study.notes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cfl_without_header.cfl", "has no cfl_without_header.hdr beside it"),
        ("h5_without_kspace.h5", "HDF5 file without k-space: it holds image.*open its array image as image=h5_without"),
        ("kspace_real_valued.h5", "real-valued .* and complex samples were expected"),
        ("mask_wrong_length_300.npy", "holds no image"),
    ],
)
def test_broken_raw_files_are_refused(shared_data: Path, name: str, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        open_study(shared_data / "oddities_broken" / "kspace" / name)


def test_radial_coordinates_are_no_image(shared_data: Path) -> None:
    with pytest.raises(FileFormatError, match="holds no image"):
        open_study(shared_data / "image_t2star_and_masks" / "samples_radial_GA_nc64_ns512.npy")
