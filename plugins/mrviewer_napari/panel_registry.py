"""Which viewer has which panel, so that a reader, a sample or a drop finds it."""

from collections.abc import Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

__all__ = [
    "PLACEHOLDER",
    "PLUGIN",
    "StudyPanel",
    "bare",
    "dock_panel",
    "forget",
    "panel_of",
    "panel_of_current_viewer",
    "remember",
]

PLUGIN = "mrviewer"
PANEL_NAME = "MR panel"
PLACEHOLDER = "mrviewer sample"
"""Name of the empty layer that a sample brings, which napari insists on; the panel takes it away again."""


class StudyPanel(Protocol):
    """What others ask of a panel."""

    def open(self, paths: Sequence[str]) -> None:
        """Open a study from files or folders."""

    def open_sample(self, seed: int = 0, kind: str = ...) -> None:
        """Open a simulated patient of a kind of `mrviewer.database.SIMULATED_KINDS`."""


_panels: WeakKeyDictionary[Any, StudyPanel] = WeakKeyDictionary()


def remember(viewer: Any, panel: StudyPanel) -> None:  # noqa: ANN401 -- napari is not typed here
    """Note that `viewer` has `panel`."""
    _panels[bare(viewer)] = panel


def forget(viewer: Any) -> None:  # noqa: ANN401
    """Note that `viewer` has no panel any more."""
    _panels.pop(bare(viewer), None)


def panel_of(viewer: Any) -> StudyPanel | None:  # noqa: ANN401
    """Panel of a viewer."""
    return None if viewer is None else _panels.get(bare(viewer))


def panel_of_current_viewer() -> StudyPanel | None:
    """Panel of the viewer that is in use."""
    import napari

    return panel_of(napari.current_viewer())


def dock_panel(viewer: Any) -> StudyPanel:  # noqa: ANN401
    """Panel of a viewer, docked if it was not."""
    if (panel := panel_of(viewer)) is None:
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PANEL_NAME)
    return panel


def bare(viewer: Any) -> Any:  # noqa: ANN401
    """Model behind the proxy that napari hands to plugins."""
    return getattr(viewer, "__wrapped__", viewer)
