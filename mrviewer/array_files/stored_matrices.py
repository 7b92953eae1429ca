"""Matrices in MATLAB files up to version 7, full, logical and sparse: looked at before they are believed."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.io import whosmat

from mrviewer.array_files.matlab_elements import load_array
from mrviewer.array_files.stored_arrays import DAMAGED_MATLAB, MATLAB_NUMBERS, damaged_matlab, require_plausible
from mrviewer.errors import MrviewerError
from mrviewer.system.memory import require_memory

__all__ = ["list_matrices", "read_matrix"]

_KINDS = (*MATLAB_NUMBERS, "logical", "sparse")


def list_matrices(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every matrix in a file; cells, structures, texts and functions are passed over.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    try:
        found = whosmat(path)
    except DAMAGED_MATLAB as error:
        raise damaged_matlab(path, error) from error
    return {name: shape for name, shape, kind in found if kind in _KINDS and not name.startswith("__")}


def read_matrix(path: Path, name: str) -> NDArray[np.generic]:
    """Read one matrix; the caller has looked at its shape.

    Raises
    ------
    InputError
        If there is not enough memory for it.
    FileFormatError
        If it is damaged, or announces more than its file can hold.
    """
    try:
        kind, shape = next((kind, shape) for found, shape, kind in whosmat(path) if found == name)
        if kind != "sparse":
            require_plausible(path, shape)
        value = load_array(path, name)
        if not sparse.issparse(value):
            return np.asarray(value)
        require_memory(
            math.prod(shape) * value.dtype.itemsize, f"the array {name} of {path.name}", "save a smaller one"
        )
        return _full(value)
    except DAMAGED_MATLAB as error:
        if isinstance(error, MrviewerError):
            raise
        raise damaged_matlab(path, error) from error


def _full(matrix: "sparse.csc_array") -> NDArray[np.generic]:
    """A sparse matrix with its zeros, by indices that numpy checks: scipy writes into memory that is not its own."""
    starts, rows = np.asarray(matrix.indptr, np.int64), np.asarray(matrix.indices, np.int64)
    counts = np.diff(starts)
    n_values = int(starts[-1])
    is_sound = len(counts) == matrix.shape[1] and starts[0] == 0 and (counts >= 0).all()
    if not is_sound or n_values > min(len(rows), len(matrix.data)) or (rows[:n_values] < 0).any():
        raise ValueError("the places of its values cannot be")
    full = np.zeros(matrix.shape, matrix.dtype)
    full[rows[:n_values], np.repeat(np.arange(len(counts)), counts)] = matrix.data[:n_values]
    return full
