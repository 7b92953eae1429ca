"""What napari's preferences say of mrviewer, as a first state of the panel."""

from mrviewer_napari.state import MaskWish, PanelState

__all__ = ["author_from_preferences", "keep_author", "keep_told", "state_from_preferences", "was_told"]

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


def author_from_preferences() -> str:
    """Who corrects labels here; empty until somebody said so."""
    from napari.settings import get_plugin_settings

    try:
        return str(get_plugin_settings(PLUGIN).corrections.author).strip()
    except KeyError:
        return ""


def keep_author(author: str) -> None:
    """Remember who corrects labels here."""
    from napari.settings import get_plugin_settings

    get_plugin_settings(PLUGIN).corrections.author = author


def was_told() -> bool:
    """Whether the person has been told that runs go on without the window."""
    from napari.settings import get_plugin_settings

    try:
        return bool(get_plugin_settings(PLUGIN).finetuning.told_that_runs_go_on)
    except KeyError:
        return True


def keep_told() -> None:
    """Remember that the person has been told."""
    from napari.settings import get_plugin_settings

    get_plugin_settings(PLUGIN).finetuning.told_that_runs_go_on = True
