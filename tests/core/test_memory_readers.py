"""Readers of arrays and raw data ask for memory before they take it."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from raw_files import header, kspace, lines_of, write_fastmri, write_ismrmrd
from scipy import sparse
from scipy.io import savemat

from mrviewer.array_files.matlab_elements import require_known_types
from mrviewer.array_files.stored_matrices import read_matrix
from mrviewer.errors import FileFormatError, InputError
from mrviewer.readers import open_study
from mrviewer.system import memory

SHAPE = (3, 64, 48)
MOST = 10_000
"""Bytes that are free; every file here needs more, and their headers less."""


def write_mat(path: Path) -> None:
    savemat(path, {"img": np.random.default_rng(1).random(SHAPE)}, do_compression=True)


def write_complex_mat(path: Path) -> None:
    values = np.random.default_rng(1).random((2, *SHAPE))
    savemat(path, {"ksp": values[0] + 1j * values[1]}, do_compression=True)


def write_mat_73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["img"] = np.random.default_rng(1).random(SHAPE)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def write_h5(path: Path) -> None:
    write_fastmri(path, kspace(SHAPE[0], 4, 64, 48))


def write_h5_array(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["samples"] = kspace(SHAPE[0], 4, 64, 48)


def write_mrd(path: Path) -> None:
    write_ismrmrd(path, header((48, 64, 1), (48, 64, 1), (240.0, 320.0, 5.0)), lines_of(kspace(SHAPE[0], 4, 64, 48)))


def write_npz(path: Path) -> None:
    np.savez_compressed(path, ksp=kspace(SHAPE[0], 4, 64, 48))


def write_npy(path: Path) -> None:
    np.save(path, kspace(SHAPE[0], 4, 64, 48))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.mat", write_mat),
        ("b.mat", write_complex_mat),
        ("c.mat", write_mat_73),
        ("a.h5", write_h5),
        ("b.h5", write_h5_array),
        ("a.mrd", write_mrd),
        ("a.npz", write_npz),
        ("a.npy", write_npy),
    ],
)
def test_what_does_not_fit_is_refused_before(
    name: str, write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / name)
    monkeypatch.setattr(memory, "available_bytes", lambda: MOST)
    with pytest.raises(InputError, match=rf"{name} needs about .* GB of memory and .* are free; close other programs"):
        open_study([tmp_path / name])


def test_a_sparse_matrix_is_not_filled_with_zeros_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    savemat(tmp_path / "a.mat", {"mask": sparse.eye(100, format="csc")})
    monkeypatch.setattr(memory, "available_bytes", lambda: MOST)
    with pytest.raises(InputError, match=r"a\.mat needs about"):
        read_matrix(tmp_path / "a.mat", "mask")


def complex_mat(path: Path, announced: int, content: int) -> None:
    """A complex array that announces some bytes, and is packed from some zeros."""
    flags = struct.pack("<IIII", 6, 8, 0x0806, 0)
    body = struct.pack("<II", 14, announced) + flags + bytes(content)
    packed = zlib.compress(body, 9)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed)


def test_a_complex_array_is_not_unpacked_beyond_what_it_announces(tmp_path: Path) -> None:
    complex_mat(tmp_path / "a.mat", 1000, 200 << 20)
    tracemalloc.start()
    with pytest.raises(ValueError, match="of type 0"):
        require_known_types(tmp_path / "a.mat")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20


def test_a_complex_array_that_announces_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complex_mat(tmp_path / "a.mat", 3 << 30, 1000)
    with pytest.raises(ValueError, match="announces 3,221,225,480 bytes, more than its"):
        require_known_types(tmp_path / "a.mat")
    with pytest.raises(FileFormatError, match=r"a\.mat"):
        open_study([tmp_path / "a.mat"])
    complex_mat(tmp_path / "a.mat", 50_000, 50_000)
    monkeypatch.setattr(memory, "available_bytes", lambda: MOST)
    with pytest.raises(InputError, match=r"an array of a\.mat needs about"):
        require_known_types(tmp_path / "a.mat")
