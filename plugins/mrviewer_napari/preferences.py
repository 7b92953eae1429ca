"""What napari's preferences say of mrviewer, as a first state of the panel."""

from collections.abc import Mapping

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer_napari.panel_state import PanelState

__all__ = [
    "author_from_preferences",
    "preferences_of",
    "remember_author",
    "remember_told_of_runs",
    "state_from_preferences",
    "was_told_of_runs",
]

PLUGIN = "mrviewer"
_ACCELERATIONS, _GAINS = (1.0, 1000.0), (0.01, 1000.0)


def state_from_preferences() -> PanelState:
    """Begin with what the person set under Preferences > mrviewer."""
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PLUGIN)
    except KeyError:  # the manifest is not installed, as in a test of the panel alone
        return PanelState()
    return preferences_of(
        {
            "acceleration": settings.sampling.acceleration,
            "shown": settings.methods.shown,
            "error_gain": settings.display.error_gain,
            "radiological": settings.display.radiological,
            "device": settings.methods.device,
        }
    )


def preferences_of(values: Mapping[str, object]) -> PanelState:
    """Read preferences, whoever wrote them; one that cannot be meant counts as not set."""
    shown, device, usual = values.get("shown"), values.get("device"), PanelState()
    return PanelState(
        mask=SamplingCondition(
            acceleration=_within(values.get("acceleration"), _ACCELERATIONS, SamplingCondition().acceleration)
        ),
        methods=tuple(shown.replace(",", " ").split()) if isinstance(shown, str) else (),
        error_gain=_within(values.get("error_gain"), _GAINS, usual.error_gain),
        radiological=values.get("radiological") is True,
        device=device if isinstance(device, str) and device else usual.device,
    )


def _within(value: object, bounds: tuple[float, float], usual: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and bounds[0] <= value <= bounds[1] else usual  # type: ignore[arg-type,operator]


def author_from_preferences() -> str:
    """Who corrects labels here; empty until somebody said so."""
    from napari.settings import get_plugin_settings

    try:
        return str(get_plugin_settings(PLUGIN).corrections.author).strip()
    except KeyError:
        return ""


def remember_author(author: str) -> None:
    """Remember who corrects labels here."""
    from napari.settings import get_plugin_settings

    get_plugin_settings(PLUGIN).corrections.author = author


def was_told_of_runs() -> bool:
    """Whether the person has been told that runs go on without the window."""
    from napari.settings import get_plugin_settings

    try:
        return bool(get_plugin_settings(PLUGIN).finetuning.told_that_runs_go_on)
    except KeyError:
        return True


def remember_told_of_runs() -> None:
    """Remember that the person has been told."""
    from napari.settings import get_plugin_settings

    get_plugin_settings(PLUGIN).finetuning.told_that_runs_go_on = True
