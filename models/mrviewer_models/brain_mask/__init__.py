"""The method `brain-mask`; see ``card.toml``."""

from pathlib import Path

from mrviewer_models.network_method import NetworkMethod

__all__ = ["METHOD"]

METHOD = NetworkMethod(__name__, Path(__file__).parent)
