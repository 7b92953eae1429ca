"""Databases that are simulated: ``KIND:COUNT`` or ``KIND:COUNT@FIRST_SEED``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from mrviewer.study import Study

__all__ = ["SIMULATED_KINDS", "SIMULATED_LIVER", "SIMULATED_MS", "Simulation", "parse_simulation"]

SIMULATED_MS = "simulated"
SIMULATED_LIVER = "simulated-liver"
SIMULATED_KINDS: dict[str, Callable[[int], Study]] = {
    SIMULATED_MS: lambda seed: _phantom().sample_study(seed, cache=False),
    SIMULATED_LIVER: lambda seed: _phantom().sample_liver_study(seed),
    "simulated-stroke": lambda seed: _phantom().sample_study(seed, disease="stroke"),
    "simulated-glioma": lambda seed: _phantom().sample_study(seed, disease="glioma"),
}
"""How a simulated patient of each kind is made from its seed."""

_SIMULATED = re.compile(r"([a-z-]+):(\d+)(?:@(\d+))?")
_FIRST_SEED = 1000


@dataclass(frozen=True)
class Simulation:
    """Simulated patients of one kind.

    Parameters
    ----------
    kind
        One of `SIMULATED_KINDS`.
    seeds
        One a patient.
    """

    kind: str
    seeds: range

    def name(self, seed: int) -> str:
        """Name of one patient."""
        return f"{self.kind}-{seed}"

    def loader(self, seed: int) -> Callable[[], Study]:
        """Make one patient when called."""
        return partial(SIMULATED_KINDS[self.kind], seed)


def parse_simulation(specification: str) -> Simulation | None:
    """Simulated patients that a text asks for; `None` if it asks for none."""
    match = _SIMULATED.fullmatch(specification)
    if match is None or match[1] not in SIMULATED_KINDS:
        return None
    first = int(match[3] or _FIRST_SEED)
    return Simulation(match[1], range(first, first + int(match[2])))


def _phantom() -> Any:  # noqa: ANN401 - a module
    """Load the simulations when the first patient is asked for; listing subjects needs none of them."""
    return import_module("mrviewer.phantom")
