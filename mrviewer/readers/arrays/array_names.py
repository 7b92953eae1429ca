"""Which of several arrays of a file is the scan: by their names, since sensitivities look much like coil images."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mrviewer.raw.arrays.array_layout import can_be_image

__all__ = ["ARRAY_ENDINGS", "ArrayChoice", "choose_array", "times_among"]

ARRAY_ENDINGS = (".npy", ".npz", ".mat", ".h5", ".hdf5", ".mrd", ".cfl", ".hdr")
"""Files of arrays whose axes may be named behind their path."""
_WORDS = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])")
_KSPACE = re.compile(r"k|ksp|kspace|kdata|kdat|kraw|rawdata|raw|rawkspace|kspc|kdatas")
_NO_SCAN = re.compile(
    r"sens\w*|smaps?|csms?|cmaps?|maps?|b1\w*|coilmaps?|coilsens\w*|espirit|masks?|pattern|samp\w*|traj\w*|dcf|dens\w*"
    r"|weights?|noise\w*|psf|calib\w*|acs|refscan|kernel"
)
_TIMES = ("t", "time", "times", "timepoints", "tvec")


@dataclass(frozen=True)
class ArrayChoice:
    """An array of a file.

    Parameters
    ----------
    name
        The likeliest; empty if none can be an image.
    rivals
        Others that are as likely.
    """

    name: str
    rivals: tuple[str, ...] = ()


def choose_array(arrays: Mapping[str, tuple[int, ...]]) -> ArrayChoice:
    """Choose the scan among arrays, by name and shape.

    An array called like k-space goes before others, and sensitivities, masks and trajectories are taken only where
    there is nothing else. Of arrays whose names say nothing one twice as large as any other is taken.
    """
    possible = {name: shape for name, shape in arrays.items() if can_be_image(shape)}
    if not possible:
        return ArrayChoice("")
    ranks = {name: _rank(name) for name in possible}
    best = [name for name in possible if ranks[name] == min(ranks.values())]
    best.sort(key=lambda name: math.prod(possible[name]), reverse=True)
    rivals = [name for name in best[1:] if 2 * math.prod(possible[name]) > math.prod(possible[best[0]])]
    return ArrayChoice(best[0], tuple(rivals))


def times_among(names: Iterable[str]) -> str | None:
    """Name of the vector of times, which tells that an array is a series; `None` if there is none."""
    return next((name for name in names if name.lower() in _TIMES), None)


def _rank(name: str) -> int:
    """0 for k-space, 1 for a name that says nothing, 2 for what goes along with a scan."""
    words = [word for word in _WORDS.split(name.lower().rpartition("/")[2]) if word]
    joined = "".join(words)
    if any(_NO_SCAN.fullmatch(word) for word in (*words, joined)):
        return 2
    return 0 if any(_KSPACE.fullmatch(word) for word in (*words, joined)) or "kspace" in joined else 1
