"""Which samples a scan acquired, and what that means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.notes import Note, NoteKind

__all__ = ["Sampling", "acquired_pattern", "interpret", "measured_block"]


@dataclass(frozen=True, eq=False)
class Sampling:
    """What is known of the sampling of a scan.

    Parameters
    ----------
    acquired : bool, (y | 1, x)
        `None` if the scan is fully sampled, but for edges that were filled with zeros.
    notes
        What a person should know.
    """

    acquired: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()


def acquired_pattern(kspace: NDArray[np.complexfloating]) -> NDArray[np.bool_]:
    """Samples ``(y, x)`` of k-space ``(coil, y, x)`` that are finite and not zero in any coil."""
    with np.errstate(invalid="ignore"):
        pattern: NDArray[np.bool_] = np.any((kspace != 0) & np.isfinite(kspace), axis=0)
    return pattern


def measured_block(kspace: NDArray[np.complexfloating]) -> NDArray[np.bool_]:
    """Samples ``(y, x)`` of a scan without gaps: all but rows and columns that are zero from end to end."""
    pattern = acquired_pattern(kspace)
    rows, columns = np.logical_or.reduce(pattern, axis=1), np.logical_or.reduce(pattern, axis=0)
    block: NDArray[np.bool_] = rows[:, None] & columns
    return block


def interpret(pattern: NDArray[np.bool_]) -> Sampling:
    """Tell a scan with gaps from one that is full, but for edges that no scanner measured.

    Parameters
    ----------
    pattern : bool, (y | 1, x)
        Samples that are not zero.
    """
    # Single zeros happen in measured data where the receiver resolves few levels; whole gaps are made of many.
    rows, columns = np.logical_or.reduce(pattern, axis=1), np.logical_or.reduce(pattern, axis=0)
    kept = (_span(rows), _span(columns))
    inside = pattern[kept[0], kept[1]]
    if inside.size == 0 or np.count_nonzero(inside) < 0.98 * inside.size:
        acquired = pattern[:1] if (pattern == pattern[:1]).all() else pattern
        rate = pattern.size / max(1, int(np.count_nonzero(pattern)))
        return Sampling(
            acquired,
            (_raw_note(f"the scan was acquired undersampled, by {rate:.1f}: no reference and no error map exist"),),
        )
    notes = []
    for name, span, size in (("y", kept[0], pattern.shape[0]), ("x", kept[1], pattern.shape[1])):
        if (n_acquired := span.stop - span.start) < size:
            notes.append(
                _raw_note(
                    f"k-space was acquired in {n_acquired} of {size} samples along {name} (partial Fourier, or a "
                    "matrix filled up); the rest is zero"
                )
            )
    return Sampling(None, tuple(notes))


def _raw_note(text: str) -> Note:
    return Note(text, NoteKind.RAW_DATA)


def _span(acquired: NDArray[np.bool_]) -> slice:
    where = np.flatnonzero(acquired)
    return slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, 0)
