"""The method `semunet`; see ``card.toml``."""

from pathlib import Path

from mrviewer_models.semunet.method import SamplingNetworkMethod

__all__ = ["METHOD"]

METHOD = SamplingNetworkMethod(__name__, Path(__file__).parent)
