"""What comes of a file that is no study of its own. No Qt."""

from dataclasses import dataclass

from mrviewer_napari.facts.scan import Scan

__all__ = ["NewLabels"]


@dataclass(frozen=True, eq=False)
class NewLabels:
    """What is open, with the labels that were dropped onto it."""

    scan: Scan
