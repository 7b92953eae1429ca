"""Fewer coils that hold nearly all of the signal."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError

__all__ = ["compress", "compression_matrix"]


def compression_matrix(calibration: NDArray[np.complexfloating], n_virtual: int) -> NDArray[np.complex64]:
    """Directions of largest signal among the coils, by singular value decomposition.

    Parameters
    ----------
    calibration : complex, (coil, ...)
        Samples of k-space or of coil images, whitened if noise is not alike in all coils.
    n_virtual
        Number of virtual coils.

    Returns
    -------
    complex64, (virtual coil, coil)
        Orthonormal rows, the strongest first; made for `compress`.

    Raises
    ------
    InputError
        If more virtual coils are asked for than there are coils, or none.

    References
    ----------
    Buehrer M et al. (2007), Array compression for MRI with large coil arrays, Magn Reson Med 57:1131-1139,
    doi:10.1002/mrm.21237; Huang F et al. (2008), A software channel compression technique for faster reconstruction
    with many channels, Magn Reson Imaging 26:133-141, doi:10.1016/j.mri.2007.04.010.
    """
    n_coils = calibration.shape[0]
    if not 1 <= n_virtual <= n_coils:
        raise InputError(f"{n_virtual} virtual coils were asked for and the scan has {n_coils}; ask for 1 to {n_coils}")
    samples = calibration.reshape(n_coils, -1).astype(np.complex128)
    _, vectors = np.linalg.eigh(samples @ samples.conj().T)
    return np.ascontiguousarray(vectors[:, ::-1][:, :n_virtual].conj().T).astype(np.complex64)


def compress(data: NDArray[np.complexfloating], matrix: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """Mix coils into virtual ones: ``y'_v = sum_c A_vc y_c``, of k-space, images and maps alike.

    Parameters
    ----------
    data : complex, (..., coil, y, x)
    matrix : complex, (virtual coil, coil)
        From `compression_matrix`.

    Returns
    -------
    complex, (..., virtual coil, y, x)

    Raises
    ------
    ShapeError
        If the numbers of coils differ.
    """
    if data.shape[-3] != matrix.shape[1]:
        raise ShapeError(
            f"the data have {data.shape[-3]} coils but the matrix mixes {matrix.shape[1]}; compute it anew"
        )
    mixed: NDArray[np.complexfloating] = np.einsum("vc,...cyx->...vyx", matrix, data, optimize=True)
    return mixed
