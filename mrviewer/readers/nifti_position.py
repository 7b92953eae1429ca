"""Where a NIfTI header says that its volume lies."""

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.quaternions import quat2mat
from numpy.typing import NDArray

from mrviewer.notes import Note, NoteKind

__all__ = ["stored_affine"]

UNIT_MM = {1: 1000.0, 3: 0.001}
"""Millimetres of the length units other than the millimetre itself: metre, micrometre."""
UNIT_NAMES = {1: "metres", 3: "micrometres"}
DISAGREE_MM = 0.5
SMALLEST_EDGE, LARGEST_EDGE = 1e-9, 1e9
"""Voxel edges beyond these, in the unit of the header, come from damaged bytes."""
LONGEST_QUATERNION = 1.01
"""Squared length up to which three digits of rounding explain that a quaternion is longer than 1."""
_ALIGNED = ((2, 0), (2, 2))
"""Codes of sform and qform of a matrix that was made up: "aligned", and nothing or the same."""
_EXACT_MM = 1e-3
_SAME_SIZE = 0.01
"""Part by which pixdim and the matrix may differ without a word."""
KNOWN_CODES = 5
"""NIfTI names position codes up to this one; 0 means that nothing is stated."""


def stored_affine(header: Nifti1Header) -> tuple[NDArray[np.float64], bool, tuple[str, ...]]:
    """Affine from stored index to RAS+ millimetres, whether the header states it, and what is unusual about it.

    The sform is taken if its code is positive, else the qform, else the voxel sizes alone; in the last case nothing
    says which side is left, and the axes are taken to run Left, Anterior, Superior as most programs do.
    """
    header = header.copy()
    sizes = np.abs(np.nan_to_num(header["pixdim"][1:4].astype(float), nan=0, posinf=0, neginf=0))
    is_stated = (sizes > SMALLEST_EDGE) & (sizes < LARGEST_EDGE)
    header["pixdim"][1:4] = np.where(is_stated, sizes, 1)
    sform = header.get_sform() if header["sform_code"] > 0 else None
    qform = _qform(header) if header["qform_code"] > 0 else None
    notes = _unknown_codes(header)
    if (sform is None or _is_usable(sform)) and (qform is None or _is_usable(qform)):
        notes += _disagreement(sform, qform, header)
    else:
        notes.append(Note("a position matrix in the header is damaged and was ignored", NoteKind.POSITION))
    sform = sform if sform is not None and _is_usable(sform) else None
    qform = qform if qform is not None and _is_usable(qform) else None
    affine = sform if sform is not None else qform
    is_default = sform is not None and _is_default(sform, header)
    is_placed = affine is not None and not is_default
    if is_default:
        said = "the position in the header is the one that programs write when they know none (centred, upright)"
        notes.append(
            Note(f"{said}; the volume is taken as not placed, and left and right may be swapped", NoteKind.POSITION)
        )
    if affine is None:
        affine = header.get_base_affine()
        said = "the header does not say how the volume lies; its axes are taken as Left, Anterior, Superior"
        notes.append(Note(f"{said}, so left and right may be swapped", NoteKind.POSITION))
    if not is_stated.all():
        has_sizes = sform is not None
        said = f"the header states a voxel size {'beyond all measure' if sizes.all() else 'of 0'}"
        used = "its sform is used instead" if has_sizes else "1 mm is taken"
        notes.append(Note(f"{said}; {used}", NoteKind.VOXEL_SIZE))
    elif sform is not None:
        notes += _contradicting_sizes(sform, sizes)
    unit = int(header["xyzt_units"]) & 7
    if unit in UNIT_MM:
        affine = np.diag([*[UNIT_MM[unit]] * 3, 1]) @ affine
        said = f"the header counts in {UNIT_NAMES[unit]}; positions were converted to millimetres"
        notes.append(Note(said, NoteKind.VOXEL_SIZE))
    return np.asarray(affine, np.float64), is_placed, tuple(notes)


def _is_default(sform: NDArray[np.float64], header: Nifti1Header) -> bool:
    """Whether a matrix is what NIBabel and SPM make up for an image without a position, written as "aligned".

    Voxel sizes on the diagonal, the first axis to the left, and the middle of the volume at the origin to a thousandth
    of a millimetre. No scanner centres a volume so exactly on all three axes, or says that it is aligned.
    """
    codes = int(header["sform_code"]), int(header["qform_code"])
    return codes in _ALIGNED and bool(np.abs(sform - header.get_base_affine()).max() < _EXACT_MM)


def _contradicting_sizes(sform: NDArray[np.float64], sizes: NDArray[np.float64]) -> list[Note]:
    """Say that the voxel sizes of the header and of its matrix differ, in the unit of the header."""
    edges = np.linalg.norm(sform[:3, :3], axis=0)
    if (np.abs(edges - sizes) <= _SAME_SIZE * np.maximum(edges, sizes)).all():
        return []
    pixdim, used = (" x ".join(f"{size:.4g}" for size in each) for each in (sizes, edges))
    said = f"the header states voxels of {pixdim} (pixdim) and its position matrix says {used} (sform)"
    return [Note(f"{said}; the matrix is used, so figures in mm and ml follow it", NoteKind.VOXEL_SIZE)]


def _qform(header: Nifti1Header) -> NDArray[np.float64]:
    """Matrix of the quaternion; NaN if it is not a rotation.

    As the reference implementation of NIfTI reads it: a qfac (``pixdim[0]``) of 0, or anything that is not negative,
    is 1, and a quaternion that rounding made longer than 1 is normalised, with a scalar part of 0.
    """
    vector = np.array([float(header[f"quatern_{axis}"]) for axis in "bcd"])
    square = float(vector @ vector)
    if not square <= LONGEST_QUATERNION:
        return np.full((4, 4), np.nan)
    scalar = np.sqrt(max(1.0 - square, 0.0))
    rotation = quat2mat(np.array([scalar, *(vector / max(1.0, np.sqrt(square)))]))
    edges = header["pixdim"][1:4].astype(float)
    edges[2] *= -1.0 if header["pixdim"][0] < 0 else 1.0
    qform = np.eye(4)
    qform[:3, :3] = rotation * edges
    qform[:3, 3] = [float(header[f"qoffset_{axis}"]) for axis in "xyz"]
    return qform


def _unknown_codes(header: Nifti1Header) -> list[Note]:
    """Say that a code is none that NIfTI names; below 0 it states nothing, above it is believed."""
    notes = []
    for name in ("sform", "qform"):
        code = int(header[f"{name}_code"])
        if not 0 <= code <= KNOWN_CODES:
            done = "ignored" if code < 0 else "used all the same"
            said = f"the {name} in the header has the unknown code {code} and was {done}"
            notes.append(Note(said, NoteKind.POSITION))
    return notes


def _is_usable(affine: NDArray[np.float64]) -> bool:
    """Whether three axes span a volume."""
    if not np.isfinite(affine).all():
        return False
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not SMALLEST_EDGE < lengths.min() <= lengths.max() < LARGEST_EDGE:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-3)


def _disagreement(
    sform: NDArray[np.float64] | None, qform: NDArray[np.float64] | None, header: Nifti1Header
) -> list[Note]:
    """Say how far the two matrices put a corner of the volume apart."""
    if sform is None or qform is None:
        return []
    corners = np.array(np.meshgrid(*[(0, max(int(n) - 1, 0)) for n in header["dim"][1:4]])).reshape(3, -1)
    distance = np.linalg.norm(((sform - qform) @ np.vstack([corners, np.ones(8)]))[:3], axis=0).max()
    if distance <= DISAGREE_MM:
        return []
    mirrored = np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0
    said = f"the two position matrices in the header disagree by up to {distance:.1f} mm; the sform is used"
    said += ", and left and right are swapped if the qform is right" if mirrored else ""
    return [Note(said, NoteKind.POSITION)]
