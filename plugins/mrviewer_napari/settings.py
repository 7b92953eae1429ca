"""What napari's preferences say of mrviewer, as a first state of the panel."""

from mrviewer_napari.state import MaskWish, PanelState

__all__ = ["state_from_preferences"]

PLUGIN = "mrviewer"


def state_from_preferences() -> PanelState:
    """Begin with what the person set under Preferences > mrviewer."""
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PLUGIN)
    except KeyError:  # the manifest is not installed, as in a test of the panel alone
        return PanelState()
    names = settings.methods.shown.replace(",", " ").split()
    return PanelState(
        mask=MaskWish(acceleration=float(settings.sampling.acceleration)),
        methods=tuple(names),
        error_gain=float(settings.display.error_gain),
        radiological=bool(settings.display.radiological),
        device=str(settings.methods.device),
    )
