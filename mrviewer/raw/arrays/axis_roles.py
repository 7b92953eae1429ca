"""Which axes of an array count coils, slices and times: the assignment that its values bear out best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

__all__ = ["COUNTED", "AxisEvidence", "Roles", "assign_roles"]

COUNTED = ("coil", "slice", "frame")
"""Names of the axes along which pictures are counted."""
_CLEARLY = 0.9
"""Evidence, a logarithm, by which the best assignment must exceed the second: a score 1.6 times as high."""
_FORMAT = 1.4
"""What the order of axes that a format prescribes is worth."""
_RARE = 0.5
"""How much less likely times are than slices before anything is known."""
_SAMPLED_ANEW = 2.0
_STRONGEST = 10.0
_REPEATED = 1e-4
"""Part of the energy in which repetitions of one picture differ."""
_CHANGING = 0.7
"""How much less likely times become with every factor e by which pictures differ more than that."""


@dataclass(frozen=True)
class AxisEvidence:
    """What is known of the pictures along one axis.

    Parameters
    ----------
    coil_score
        See `mrviewer.raw.arrays.axis_evidence.Likeness`; 1 where nothing is known.
    unlikeness
        Part of the energy in which the pictures differ.
    differs
        Whether each was sampled at other places of k-space.
    """

    coil_score: float = 1.0
    unlikeness: float = 0.1
    differs: bool = False

    def weight(self, role: str) -> float:
        """Evidence for a role, as a logarithm."""
        score = math.log(min(max(self.coil_score, 1 / _STRONGEST), _STRONGEST))
        if role == "coil":
            return score - 2 * _SAMPLED_ANEW * self.differs
        if role == "slice":
            return -score - _SAMPLED_ANEW * self.differs
        changing = max(0.0, math.log(max(self.unlikeness, _REPEATED) / _REPEATED))
        return -score + _SAMPLED_ANEW * self.differs - _CHANGING * changing - _RARE


@dataclass(frozen=True)
class Roles:
    """Names of some axes.

    Parameters
    ----------
    names
        By axis.
    others
        What else they may well be, the likeliest first; empty where the evidence is clear.
    """

    names: Mapping[int, str]
    others: tuple[Mapping[int, str], ...] = ()


def assign_roles(
    evidence: Mapping[int, AxisEvidence], allowed: Sequence[str] = COUNTED, expected: Mapping[int, str] | None = None
) -> Roles | None:
    """Name the axes along which pictures are counted.

    Parameters
    ----------
    evidence
        By axis.
    allowed
        Names that may be given.
    expected
        Names that the format gives.

    Returns
    -------
    `None` if there are more axes than names.
    """
    axes = sorted(evidence)
    if len(axes) > len(allowed):
        return None

    def weight(names: tuple[str, ...]) -> float:
        told = sum(evidence[axis].weight(name) for axis, name in zip(axes, names, strict=True))
        is_expected = expected is not None and all(expected.get(a) == n for a, n in zip(axes, names, strict=True))
        return told + _FORMAT * is_expected

    ranked = sorted(permutations(allowed, len(axes)), key=weight, reverse=True)
    close = [names for names in ranked[1:] if weight(names) > weight(ranked[0]) - _CLEARLY]
    return Roles(dict(zip(axes, ranked[0], strict=True)), tuple(dict(zip(axes, names, strict=True)) for names in close))
