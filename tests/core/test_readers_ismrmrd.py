"""ISMRMRD files, written with the library of the format: every readout goes where it belongs."""

from dataclasses import replace
from pathlib import Path

import ismrmrd
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_files import HEIGHT, N_COILS, WIDTH, Line, coil_images, header, kspace, lines_of, write_ismrmrd

from mrviewer.errors import FileFormatError
from mrviewer.physics import fft2c, ifft2c
from mrviewer.readers import open_study
from mrviewer.study import RawData, Study

# That damaged files are tried first is tested in `test_readers_raw` and `test_guarded_files`.
pytestmark = pytest.mark.usefixtures("sound_hdf5")

XML = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (WIDTH * 2.0, HEIGHT * 1.5, 3.0))
STACK = kspace()


def opened(tmp_path: Path, lines: list[Line], xml: str = XML) -> tuple[Study, RawData]:
    study = open_study(f"T2={write_ismrmrd(tmp_path / 'scan.h5', xml, lines)}")
    return study, study.raw["T2"]


def close(first: NDArray[np.complex64], second: NDArray[np.complex64]) -> bool:
    return bool(np.allclose(first, second, atol=1e-5 * np.abs(second).max()))


def test_a_full_scan_opens_with_its_image_and_voxels(tmp_path: Path) -> None:
    study, raw = opened(tmp_path, lines_of(kspace(2)))
    assert raw.shape == (2, N_COILS, HEIGHT, WIDTH)
    assert raw.acquired is None
    assert close(raw.kspace(0), kspace(2)[1])
    assert study.geometry().voxel_size_mm == (5.0, 1.5, 2.0)
    assert any("in order from the head to the feet" in note for note in study.notes)
    expected = np.linalg.norm(coil_images(2), axis=1)[::-1]
    assert np.allclose(study.images["T2"].volume(), expected, atol=0.02)


def test_readout_oversampling_is_removed(tmp_path: Path) -> None:
    wide = np.zeros((1, N_COILS, HEIGHT, 2 * WIDTH), np.complex64)
    wide[..., WIDTH // 2 : -WIDTH // 2] = coil_images()
    xml = header((2 * WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (WIDTH * 2.0, HEIGHT * 1.5, 3.0))
    study, raw = opened(tmp_path, lines_of(fft2c(wide).astype(np.complex64)), xml)
    assert raw.shape[3] == WIDTH
    assert close(ifft2c(raw.kspace(0)), coil_images()[0])
    assert study.geometry().voxel_size_mm[2] == 2.0
    assert any("64 samples became 32" in note for note in study.notes)


def test_averages_are_averaged(tmp_path: Path) -> None:
    lines = lines_of(STACK * np.float32(0.5)) + lines_of(STACK * np.float32(1.5), average=1)
    study, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0), STACK[0])
    assert any("up to 2 readouts of the same place were averaged" in note for note in study.notes)


def test_slices_are_sorted_by_position(tmp_path: Path) -> None:
    lines = [replace(line, position_mm=-4.0 * line.slice_) for line in lines_of(kspace(3))]
    study, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0), kspace(3)[0])
    assert study.geometry().voxel_size_mm[0] == 4.0


def test_partial_fourier_is_filled_with_zeros_and_said(tmp_path: Path) -> None:
    lines = [line for line in lines_of(STACK) if line.step >= 10]
    study, raw = opened(tmp_path, lines)
    assert raw.acquired is None
    assert not raw.kspace(0)[:, :10].any()
    assert close(raw.kspace(0)[:, 10:], STACK[0][:, 10:])
    assert any("30 of 40 samples along y" in note for note in study.notes)


def test_an_asymmetric_echo_has_its_center_in_the_middle(tmp_path: Path) -> None:
    lines = [replace(line, samples=line.samples[:, 6:].copy(), center=WIDTH // 2 - 6) for line in lines_of(STACK)]
    study, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0)[..., 6:], STACK[0][..., 6:])
    assert not raw.kspace(0)[..., :6].any()
    assert any("26 of 32 samples of a readout" in note for note in study.notes)


def test_samples_without_signal_are_dropped(tmp_path: Path) -> None:
    lines = [
        replace(
            line, samples=np.pad(line.samples, ((0, 0), (5, 0)), constant_values=9), center=WIDTH // 2 + 5, before=5
        )
        for line in lines_of(STACK)
    ]
    _, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0), STACK[0])


def test_reversed_readouts_are_turned(tmp_path: Path) -> None:
    lines = [
        replace(line, samples=line.samples[:, ::-1].copy(), center=WIDTH // 2 - 1, flags=(ismrmrd.ACQ_IS_REVERSE,))
        if line.step % 2
        else line
        for line in lines_of(STACK)
    ]
    _, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0), STACK[0])


def test_the_center_of_the_phase_encoding_is_taken_from_the_header(tmp_path: Path) -> None:
    xml = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (WIDTH * 2.0, HEIGHT * 1.5, 3.0), center=HEIGHT // 2 - 7)
    lines = [replace(line, step=line.step - 7) for line in lines_of(STACK) if line.step >= 7]
    _, raw = opened(tmp_path, lines, xml)
    assert close(raw.kspace(0)[:, 7:], STACK[0][:, 7:])


def test_an_undersampled_scan_has_no_image_and_its_mask(tmp_path: Path) -> None:
    kept = {step for step in range(HEIGHT) if step % 3 == 0 or abs(step - 20) < 6}
    study, raw = opened(tmp_path, [line for line in lines_of(STACK) if line.step in kept])
    assert not study.images
    assert raw.acquired is not None
    assert set(np.flatnonzero(raw.acquired[:, 0])) == kept
    assert study.geometry().voxel_size_mm == (3.0, 1.5, 2.0)


def test_calibration_readouts_make_maps_but_no_image(tmp_path: Path) -> None:
    imaging = [line for line in lines_of(STACK) if line.step % 2 == 0]
    calibration = [
        replace(line, samples=line.samples * np.float32(2), flags=(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION,))
        for line in lines_of(STACK)
        if abs(line.step - 20) < 10
    ]
    study, raw = opened(tmp_path, imaging + calibration)
    assert not raw.kspace(0)[:, 1::2].any()
    truth = np.abs(np.sum(coil_images()[0] * np.conj(raw.coil_maps(0)), axis=0))
    assert np.allclose(truth, np.linalg.norm(coil_images()[0], axis=0), atol=0.05)
    assert any("readouts for parallel imaging" in note for note in study.notes)


def test_lines_for_calibration_and_image_are_both(tmp_path: Path) -> None:
    flags = (ismrmrd.ACQ_IS_PARALLEL_CALIBRATION, ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING)
    lines = [replace(line, flags=flags if abs(line.step - 20) < 8 else ()) for line in lines_of(STACK)]
    _, raw = opened(tmp_path, lines)
    assert close(raw.kspace(0), STACK[0])


def test_a_noise_scan_whitens(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((N_COILS, N_COILS)) + 1j * rng.standard_normal((N_COILS, N_COILS))

    def noise(n_samples: int) -> NDArray[np.complex64]:
        white = rng.standard_normal((N_COILS, n_samples)) + 1j * rng.standard_normal((N_COILS, n_samples))
        return (mixing @ white).astype(np.complex64)

    measured = [Line(noise(256), 0, flags=(ismrmrd.ACQ_IS_NOISE_MEASUREMENT,), dwell_us=5.0) for _ in range(40)]
    empty = [Line(noise(WIDTH), step, dwell_us=10.0) for step in range(HEIGHT)]
    study, raw = opened(tmp_path, measured + empty)
    covariance = np.cov(raw.kspace(0).reshape(N_COILS, -1))
    # Twice the dwell time is half the bandwidth, which the empty readouts were not measured with.
    assert np.allclose(covariance, 2 * np.eye(N_COILS), atol=0.35)
    assert any("whitened" in note for note in study.notes)


def test_navigators_and_dummies_are_no_image(tmp_path: Path) -> None:
    flags = (ismrmrd.ACQ_IS_NAVIGATION_DATA, ismrmrd.ACQ_IS_PHASECORR_DATA, ismrmrd.ACQ_IS_DUMMYSCAN_DATA)
    others = [Line(np.full((N_COILS, 8), 99, np.complex64), 0, flags=(flag,)) for flag in flags]
    _, raw = opened(tmp_path, others + lines_of(STACK))
    assert close(raw.kspace(0), STACK[0])


def test_echoes_and_repetitions_are_images_of_their_own(tmp_path: Path) -> None:
    lines = lines_of(STACK) + lines_of(STACK * np.float32(2), contrast=1)
    study, _ = opened(tmp_path, lines)
    assert study.modalities == ("T2", "T2 echo 2")
    assert close(study.raw["T2 echo 2"].kspace(0), 2 * STACK[0])
    lines = lines_of(STACK) + lines_of(STACK * np.float32(3), repetition=4)
    (tmp_path / "other").mkdir()
    study, _ = opened(tmp_path / "other", lines)
    assert study.modalities == ("T2", "T2 repetition 5")


def volume_lines(volume: NDArray[np.complex64]) -> list[Line]:
    """Readouts of k-space ``(coil, z, y, x)``."""
    _, depth, height, _ = volume.shape
    return [Line(np.ascontiguousarray(volume[:, z, y]), y, partition=z) for z in range(depth) for y in range(height)]


def test_a_volume_is_cut_along_its_partitions_and_an_undersampled_one_along_its_readouts(tmp_path: Path) -> None:
    images = np.stack([coil_images(1, N_COILS, HEIGHT, WIDTH)[0] * (1 + z) for z in range(6)], axis=1)
    volume = fft2c(images)
    volume = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(volume, axes=1), axis=1, norm="ortho"), axes=1)
    lines = volume_lines(volume.astype(np.complex64))
    xml = header((WIDTH, HEIGHT, 6), (WIDTH, HEIGHT, 6), (WIDTH * 2.0, HEIGHT * 1.5, 6 * 3.0))
    study, raw = opened(tmp_path, lines, xml)
    assert raw.shape == (6, N_COILS, HEIGHT, WIDTH)
    assert close(ifft2c(raw.kspace(4)), images[:, 4])
    assert study.geometry().voxel_size_mm == (3.0, 1.5, 2.0)
    rng = np.random.default_rng(0)
    kept = [line for line in lines if rng.random() < 0.5 or (abs(line.step - 20) < 5 and line.partition in (2, 3, 4))]
    (tmp_path / "other").mkdir()
    study, raw = opened(tmp_path / "other", kept, xml)
    assert raw.slice_axis == 2
    assert raw.shape == (WIDTH, N_COILS, 6, HEIGHT)
    assert raw.acquired is not None
    assert np.count_nonzero(raw.acquired) == len({(line.partition, line.step) for line in kept})
    assert not study.images
    assert study.geometry().shape == (6, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 40}, "outside of its matrix of 40 x 1"),
        ({"samples": np.ones((N_COILS, 33), np.complex64)}, "readouts of 33 samples and its header announces 32"),
        ({"samples": np.ones((2, 32), np.complex64)}, "different numbers of coils"),
    ],
)
def test_header_and_data_that_contradict_each_other_are_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    lines = lines_of(STACK)
    lines[3] = replace(lines[3], **change)  # type: ignore[arg-type]
    with pytest.raises(FileFormatError, match=message):
        opened(tmp_path, lines)


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<ismrmrdHeader>", "header of scan.h5 cannot be read"),
        ("<a/>", "describes no encoding"),
        (XML.replace("cartesian", "radial"), "calls radial, and only Cartesian"),
        (XML.replace(f"<x>{WIDTH}</x>", "<x>30000000</x>"), "none of a scan"),
        (XML.replace(f"<x>{WIDTH}</x>", "<x>many</x>"), "header of scan.h5 cannot be read"),
    ],
)
def test_headers_that_cannot_be_used_are_refused(tmp_path: Path, xml: str, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        opened(tmp_path, lines_of(STACK), xml)


def test_a_scan_of_noise_alone_is_refused(tmp_path: Path) -> None:
    lines = [replace(line, flags=(ismrmrd.ACQ_IS_NOISE_MEASUREMENT,)) for line in lines_of(STACK)]
    with pytest.raises(FileFormatError, match="no readout of an image, of 40"):
        opened(tmp_path, lines)


# Positions ---------------------------------------------------------------------------------------------------------

AXES = {"R": (-1, 0, 0), "L": (1, 0, 0), "A": (0, -1, 0), "P": (0, 1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
"""Unit vectors as the format counts: to the left, the back and the head."""


def marked(n_slices: int, height: int, width: int) -> NDArray[np.float32]:
    """Images ``(slice, phase, read)`` with one bright corner: first slice, low phase, high read."""
    images = np.full((n_slices, height, width), 0.1, np.float32)
    images[:, 4:-4, 4:-4] = 0.5
    images[0, 5:8, -8:-5] = 4
    return images


def placed_lines(directions: str, n_slices: int, height: int, width: int) -> list[Line]:
    """Readouts of `marked`, directions being those of readout, phase and slices."""
    read, phase, along = (np.array(AXES[letter], float) for letter in directions)
    stack = fft2c(marked(n_slices, height, width)[:, None] * np.ones((N_COILS, 1, 1))).astype(np.complex64)
    return [
        replace(line, directions=(tuple(read), tuple(phase), tuple(along)), place_mm=tuple(5.0 * line.slice_ * along))
        for line in lines_of(stack)
    ]


@pytest.mark.parametrize("directions", ["LPS", "RPS", "LAI", "PLS", "ARI", "PSL", "SAR", "LSA", "IRP"])
@pytest.mark.parametrize(("height", "width"), [(40, 32), (39, 31)])
def test_an_image_lies_where_its_position_says(tmp_path: Path, directions: str, height: int, width: int) -> None:
    xml = header((width, height, 1), (width, height, 1), (width * 2.0, height * 1.5, 3.0))
    study, raw = opened(tmp_path, placed_lines(directions, 3, height, width), xml)
    geometry = study.geometry()
    assert geometry.is_placed
    volume = study.images["T2"].volume()
    assert volume.shape == geometry.shape
    brightest = np.argwhere(volume > 0.7 * volume.max()).astype(float).mean(axis=0)
    read, phase, along = (np.array(AXES[letter], float) for letter in directions)
    expected = read * (width - 7 - width // 2) * 2.0 + phase * (6 - height // 2) * 1.5
    assert np.allclose(geometry.to_mm(brightest), expected * (-1, -1, 1), atol=0.6)
    assert not any("swapped" in note for note in study.notes)
    assert np.allclose(np.abs(along), np.abs(np.eye(3)[2 - raw.slice_axis]))


def test_directions_that_contradict_each_other_place_nothing(tmp_path: Path) -> None:
    lines = placed_lines("LPS", 3, HEIGHT, WIDTH)
    for number, changes in enumerate(
        ({"directions": ((1.0, 0, 0), (1.0, 0, 0), (0, 0, 1.0))}, {"place_mm": (0.0, 0.0, 7.0)})
    ):
        (tmp_path / str(number)).mkdir()
        changed = [replace(line, **changes) if line.slice_ == 1 else line for line in lines]  # type: ignore[arg-type]
        study, _ = opened(tmp_path / str(number), changed)
        assert not study.geometry().is_placed
        assert any("left and right may be swapped" in note for note in study.notes)


def test_what_was_acquired_is_turned_with_the_image(tmp_path: Path) -> None:
    kept = {step for step in range(HEIGHT) if step % 3 == 0 or abs(step - 20) < 6}
    lines = [line for line in placed_lines("PLS", 2, HEIGHT, WIDTH) if line.step in kept]
    study, raw = opened(tmp_path, lines)
    assert raw.shape == (2, N_COILS, WIDTH, HEIGHT)
    assert raw.acquired is not None
    assert raw.acquired.shape == (1, HEIGHT)
    assert np.array_equal(raw.acquired[0], np.any(raw.kspace(0) != 0, axis=(0, 1)))
    assert not any("along y" in note for note in study.notes)


# Encodings ---------------------------------------------------------------------------------------------------------


def two_encodings(second: str = "cartesian") -> tuple[str, list[Line]]:
    """A header of a small and a large matrix, and the readouts of both."""
    small = header((16, 20, 1), (16, 20, 1), (64.0, 60.0, 3.0))
    large = XML.replace("<trajectory>cartesian", f"<trajectory>{second}")
    begin, end = large.index("<encoding>"), large.index("</ismrmrdHeader>")
    lines = lines_of(kspace(1, N_COILS, 20, 16))
    lines += [replace(line, encoding=1) for line in lines_of(STACK)]
    return small.replace("</ismrmrdHeader>", large[begin:end] + "</ismrmrdHeader>"), lines


def test_both_encodings_open_and_the_largest_is_first(tmp_path: Path) -> None:
    xml, lines = two_encodings()
    study = open_study(f"T2={write_ismrmrd(tmp_path / 'scan.h5', xml, lines)}")
    assert [raw.shape[2:] for raw in study.raw.values()] == [(HEIGHT, WIDTH), (20, 16)]
    assert tuple(study.raw) == ("T2", "T2 encoding 1")
    assert close(study.raw["T2"].kspace(0), STACK[0])
    assert any("2 encodings with images" in note for note in study.notes)
    assert not any("left out" in note for note in study.notes)


def test_an_encoding_that_does_not_open_is_named(tmp_path: Path) -> None:
    xml, lines = two_encodings("spiral")
    study = open_study(f"T2={write_ismrmrd(tmp_path / 'scan.h5', xml, lines)}")
    assert [raw.shape[2:] for raw in study.raw.values()] == [(20, 16)]
    assert any("encoding 2 of the file" in note and "calls spiral" in note for note in study.notes)


def test_epi_is_refused_for_its_true_reason(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"EPI.*phase correction.*not made here"):
        opened(tmp_path, lines_of(STACK), XML.replace("cartesian", "epi"))


@pytest.mark.parametrize(
    "places", [(0.0, 0.0, 0.0), (0.0, np.nan, 10.0), (0.0, 5.0, 5.0)], ids=["same", "nan", "twice"]
)
def test_positions_that_tell_no_order_are_not_said_to(tmp_path: Path, places: tuple[float, ...]) -> None:
    study = _of_places(tmp_path, places)
    assert not any("head to the feet" in note for note in study.notes)
    assert any("which end is the head is unknown" in note for note in study.notes)
    assert study.geometry().voxel_size_mm[0] == 5.0
    image = study.raw["unknown"]
    assert np.allclose([np.abs(image.kspace(z)).sum() for z in range(3)], np.abs(kspace(3)).sum((1, 2, 3)), rtol=1e-4)


def test_slices_at_unequal_distances_are_told(tmp_path: Path) -> None:
    study = _of_places(tmp_path, (0.0, 5.0, 30.0))
    assert any("slices lie 5 to 25 mm apart and are shown 15 mm apart" in note for note in study.notes)
    assert not any("mm apart and are" in note for note in _of_places(tmp_path / "even", (0.0, 5.0, 10.0)).notes)


def _of_places(folder: Path, places: tuple[float, ...]) -> Study:
    folder.mkdir(exist_ok=True)
    directions = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    lines = [
        replace(line, directions=directions, place_mm=(0.0, 0.0, places[line.slice_])) for line in lines_of(kspace(3))
    ]
    xml = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (5.0 * WIDTH, 5.0 * HEIGHT, 5.0))
    return open_study([write_ismrmrd(folder / "a.h5", xml, lines)])
