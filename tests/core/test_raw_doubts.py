"""Raw data that are not whole: parts in two arrays, samples that are no numbers, files that end early."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_files import header, kspace, lines_of, write_fastmri, write_ismrmrd
from scipy.io import savemat

from mrviewer.errors import FileFormatError
from mrviewer.readers import open_study
from mrviewer.study import Study

HEIGHT, WIDTH, N_SLICES, N_COILS = 40, 32, 3, 4
Arrays = dict[str, NDArray[np.generic]]


def samples() -> NDArray[np.complex64]:
    return kspace(N_SLICES, N_COILS, HEIGHT, WIDTH)


def write_h5(path: Path, arrays: Arrays) -> Path:
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path.with_suffix(".h5")


def write_npz(path: Path, arrays: Arrays) -> Path:
    np.savez(path.with_suffix(".npz"), **{name.replace("/", "_"): values for name, values in arrays.items()})
    return path.with_suffix(".npz")


def write_mat(path: Path, arrays: Arrays) -> Path:
    savemat(path.with_suffix(".mat"), {name.replace("/", "_"): values for name, values in arrays.items()})
    return path.with_suffix(".mat")


def only_raw(study: Study) -> NDArray[np.complex64]:
    [raw] = study.raw.values()
    return np.stack([raw.kspace(index) for index in range(raw.shape[0])])


@pytest.mark.parametrize("write", [write_h5, write_npz, write_mat])
@pytest.mark.parametrize(
    ("real", "imaginary"),
    [
        ("kspace_real", "kspace_imag"),
        ("kspace_re", "kspace_im"),
        ("kspace_r", "kspace_i"),
        ("real_kspace", "imag_kspace"),
        ("kspaceReal", "kspaceImag"),
        ("real", "imag"),
        ("kspace/real", "kspace/imaginary"),
    ],
)
def test_two_parts_are_one_complex_kspace(
    tmp_path: Path, write: Callable[[Path, Arrays], Path], real: str, imaginary: str
) -> None:
    values = samples()
    path = write(tmp_path / "scan", {real: values.real, imaginary: values.imag})
    study = open_study(path)
    assert np.allclose(only_raw(study), values, atol=1e-5 * np.abs(values).max())
    assert study.images


@pytest.mark.parametrize("write", [write_h5, write_npz, write_mat])
def test_parts_of_unequal_sizes_are_refused(tmp_path: Path, write: Callable[[Path, Arrays], Path]) -> None:
    values = samples()
    path = write(tmp_path / "scan", {"kspace_real": values.real, "kspace_imag": values.imag[1:]})
    with pytest.raises(FileFormatError, match="real and imaginary part of an array have equal sizes"):
        open_study(path)


def test_two_arrays_that_are_complex_themselves_are_no_parts(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "scan", {"kspace_real": samples(), "kspace_imag": samples()})
    with pytest.raises(FileFormatError, match="complex already"):
        open_study(path)
    study = open_study(f"kspace={path}:slice,coil,y,x,array=kspace_real")
    assert np.array_equal(only_raw(study), samples())


@pytest.mark.parametrize("write", [write_h5, write_npz, write_mat])
def test_the_pair_opens_by_its_name(tmp_path: Path, write: Callable[[Path, Arrays], Path]) -> None:
    values = samples()
    path = write(tmp_path / "scan", {"kspace_real": values.real, "kspace_imag": values.imag})
    study = open_study(f"kspace={path}:slice,coil,y,x,array=kspace_real+kspace_imag")
    assert np.allclose(only_raw(study), values, atol=1e-5 * np.abs(values).max())


def write_as_fastmri(path: Path, values: NDArray[np.complex64]) -> Path:
    return write_fastmri(path / "scan.h5", values)


def write_as_npy(path: Path, values: NDArray[np.complex64]) -> Path:
    np.save(path / "scan.npy", values)
    return path / "scan.npy"


def write_as_readouts(path: Path, values: NDArray[np.complex64]) -> Path:
    height, width = values.shape[-2:]
    xml = header((width, height, 1), (width, height, 1), (200.0, 200.0, 5.0))
    return write_ismrmrd(path / "scan.h5", xml, lines_of(values))


WRITERS = [write_as_fastmri, write_as_npy, write_as_readouts]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_sample_that_is_not_finite_is_said_and_not_acquired(
    tmp_path: Path, write: Callable[[Path, NDArray[np.complex64]], Path], value: float
) -> None:
    values = samples()
    values[1, 2, 5, 6] = value
    study = open_study(write(tmp_path, values))
    [note] = [note for note in study.notes if "NaN or infinite" in note]
    assert f"1 of {values.size:,} samples of k-space" in note
    assert np.isfinite(only_raw(study)).all()
    assert np.count_nonzero(only_raw(study) == 0) == 1


@pytest.mark.parametrize("write", WRITERS)
def test_kspace_of_which_nothing_is_a_number_is_refused(
    tmp_path: Path, write: Callable[[Path, NDArray[np.complex64]], Path]
) -> None:
    with pytest.raises(FileFormatError, match=r"NaN or infinite.*export it again"):
        open_study(write(tmp_path, np.full_like(samples(), np.nan)))


def test_one_lost_sample_of_a_volume_does_not_spread(tmp_path: Path) -> None:
    values = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(samples(), axes=0), axis=0, norm="ortho"), axes=0)
    volume = values.transpose(1, 0, 2, 3).astype(np.complex64)
    whole = only_raw(open_study(f"kspace={saved(tmp_path / 'a.npy', volume)}:coil,z,y,x"))
    volume[1, 1, 5, 6] = np.nan
    study = open_study(f"kspace={saved(tmp_path / 'b.npy', volume)}:coil,z,y,x")
    assert any(f"1 of {volume.size:,} samples" in note for note in study.notes)
    assert np.count_nonzero(~np.isclose(only_raw(study), whole, atol=1e-4)) <= N_SLICES


def saved(path: Path, values: NDArray[np.generic]) -> Path:
    np.save(path, values)
    return path


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_that_was_cut_says_how_much_is_there(tmp_path: Path, kept: float) -> None:
    path = write_as_readouts(tmp_path, samples())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(FileFormatError, match=rf"cut short: it holds {int(len(content) * kept):,} of .* bytes"):
        open_study(path)


@pytest.mark.parametrize("n_readouts", [HEIGHT * 2, HEIGHT * 2 + 15])
def test_a_scan_that_ends_early_is_said_to(tmp_path: Path, n_readouts: int) -> None:
    limits = "".join(
        f"<{name}><minimum>0</minimum><maximum>{last}</maximum><center>{last // 2 + last % 2}</center></{name}>"
        for name, last in (("kspace_encoding_step_1", HEIGHT - 1), ("slice", N_SLICES - 1))
    )
    xml = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (200.0, 200.0, 5.0))
    xml = xml.replace("<trajectory>", f"<encodingLimits>{limits}</encodingLimits><trajectory>")
    whole = open_study(write_ismrmrd(tmp_path / "whole.h5", xml, lines_of(samples())))
    cut = open_study(write_ismrmrd(tmp_path / "cut.h5", xml, lines_of(samples())[:n_readouts]))
    assert not any("cut short" in note for note in whole.notes)
    assert any("cut short" in note for note in cut.notes)


def test_lines_that_were_left_out_on_purpose_are_not_taken_for_a_cut(tmp_path: Path) -> None:
    xml = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (200.0, 200.0, 5.0), center=HEIGHT // 2)
    study = open_study(
        write_ismrmrd(tmp_path / "scan.h5", xml, [line for line in lines_of(samples()) if line.step % 2 == 0])
    )
    assert not any("cut short" in note for note in study.notes)
