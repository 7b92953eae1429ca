"""The simulated patients under File > Open Sample: docks the panel and opens the patient there."""

from typing import Any

import numpy as np

from mrviewer.database import SIMULATED_KINDS, SIMULATED_LIVER, SIMULATED_MS
from mrviewer_napari.panel_registry import PLACEHOLDER, dock_panel
from mrviewer_napari.tiles.napari_layers import load_layers

__all__ = ["simulated_liver_patient", "simulated_patient"]


def simulated_patient(seed: int = 0) -> list[tuple[Any, ...]]:
    """Open the simulated patient with multiple sclerosis in the panel of the current viewer."""
    return _open(SIMULATED_MS, seed)


def simulated_liver_patient(seed: int = 0) -> list[tuple[Any, ...]]:
    """Open the simulated four-phase study of a liver in the panel of the current viewer."""
    return _open(SIMULATED_LIVER, seed)


def _open(kind: str, seed: int) -> list[tuple[Any, ...]]:
    """Open a simulated patient.

    napari insists that a sample brings a layer, so it gets an empty hidden one, which the panel takes away again.
    """
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        from mrviewer_napari.opening.napari_reader import layers_of

        return layers_of(SIMULATED_KINDS[kind](seed))
    panel = dock_panel(viewer)
    # napari makes the empty layer in this thread while the panel opens the patient in another one.
    load_layers()
    panel.open_sample(seed, kind)
    empty = np.zeros((1, 1, 1), np.float32)
    shown = {"name": PLACEHOLDER, "visible": False, "axis_labels": ("I", "P", "L"), "units": "mm"}
    return [(empty, {**shown, "contrast_limits": (0, 1)}, "image")]
