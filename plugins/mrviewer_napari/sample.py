"""The simulated patient under File > Open Sample: docks the panel and opens the patient there."""

from typing import Any

import numpy as np

from mrviewer_napari.panels import dock_panel

__all__ = ["simulated_patient"]


def simulated_patient(seed: int = 0) -> list[tuple[Any, ...]]:
    """Open the simulated patient in the panel of the current viewer.

    napari insists that a sample brings a layer, so it gets an empty hidden one, which the panel takes away again.
    """
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        from mrviewer.phantom import sample_study
        from mrviewer_napari.reader import layers_of

        return layers_of(sample_study(seed))
    panel = dock_panel(viewer)
    panel.open_sample(seed)
    empty = np.zeros((1, 1, 1), np.float32)
    shown = {"name": panel.PLACEHOLDER, "visible": False, "axis_labels": ("I", "P", "L"), "units": "mm"}
    return [(empty, {**shown, "contrast_limits": (0, 1)}, "image")]
