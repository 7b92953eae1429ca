"""Which viewer has which panel, so that a reader, a sample or a drop finds it."""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from mrviewer_napari.panel import MrPanel

__all__ = ["PANEL_NAME", "PLUGIN", "bare", "dock_panel", "forget", "panel_of", "panel_of_current_viewer", "remember"]

PLUGIN = "mrviewer"
PANEL_NAME = "MR panel"
_panels: "WeakKeyDictionary[Any, MrPanel]" = WeakKeyDictionary()


def remember(viewer: Any, panel: "MrPanel") -> None:  # noqa: ANN401 -- napari is not typed here
    """Note that `viewer` has `panel`."""
    _panels[bare(viewer)] = panel


def forget(viewer: Any) -> None:  # noqa: ANN401
    """Note that `viewer` has no panel any more."""
    _panels.pop(bare(viewer), None)


def panel_of(viewer: Any) -> "MrPanel | None":  # noqa: ANN401
    """Panel of a viewer."""
    return None if viewer is None else _panels.get(bare(viewer))


def panel_of_current_viewer() -> "MrPanel | None":
    """Panel of the viewer that is in use."""
    import napari

    return panel_of(napari.current_viewer())


def dock_panel(viewer: Any) -> "MrPanel":  # noqa: ANN401
    """Panel of a viewer, docked if it was not."""
    if (panel := panel_of(viewer)) is None:
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PANEL_NAME)
    return panel


def bare(viewer: Any) -> Any:  # noqa: ANN401
    """Model behind the proxy that napari hands to plugins."""
    return getattr(viewer, "__wrapped__", viewer)
