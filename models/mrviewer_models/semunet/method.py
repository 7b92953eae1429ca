"""A trained network that has learned where to sample, too. Light to import: its patterns are read without torch."""

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from mrviewer.errors import WeightsError
from mrviewer.sampling.learned import LearnedPattern
from mrviewer.system.reasons import reason_of
from mrviewer_models.network_method import NetworkMethod
from mrviewer_models.semunet.sampling_shape import SamplingShape

__all__ = ["SamplingNetworkMethod"]


@dataclass(frozen=True)
class SamplingNetworkMethod(NetworkMethod):
    """A `NetworkMethod` whose weights hold samplers; see `mrviewer.sampling.learned.OffersPatterns`."""

    def learned_patterns(self) -> tuple[LearnedPattern, ...]:
        """Every pattern in the weights; none if they were trained with masks that were given.

        Raises
        ------
        WeightsError
            If there are no weights, or not of this method.
        """
        path = self.weights_file
        if not path.is_file():
            raise WeightsError(f"the weights {path.name} of {self.card.name} are not there; train them first")
        return _read_patterns(path, path.stat().st_mtime_ns, self.card.name)


@lru_cache(maxsize=8)
def _read_patterns(path: Path, changed: int, method: str) -> tuple[LearnedPattern, ...]:
    """Keep the patterns of a file; `changed` tells a new file of the same name from the old one."""
    del changed
    try:
        with safe_open(path, framework="numpy") as file:
            shape = json.loads((file.metadata() or {})["mrviewer"])["recipe"]["shape"]
            names = {item.name for item in fields(SamplingShape)}
            sampling = SamplingShape(**{name: value for name, value in shape["sampling"].items() if name in names})
            if shape["masks"] != "learned":
                return ()
            parameters = {name: file.get_tensor(f"samplers.{name}.logits") for name in sampling.parts()}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path.name} holds no samplers of {method} ({reason_of(error)}); give weights of this method"
        ) from error
    return tuple(
        LearnedPattern(
            method, part.dimensions, part.acceleration, part.probability(parameters[name]).astype(np.float32)
        )
        for name, part in sampling.parts().items()
    )
