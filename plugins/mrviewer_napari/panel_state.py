"""What the panel knows: one evented record that widgets show and edit, without Qt.

Everything here is a wish of the person in front of the screen. What follows from wishes and data together is worked out
in `mrviewer_napari.facts.tile_texts`; what was computed is held in `mrviewer_napari.computing`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from psygnal import SignalGroupDescriptor

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer_napari.facts.plane import ViewPlane

__all__ = ["PanelState", "StepChoice"]


@dataclass(frozen=True)
class StepChoice:
    """Look at an estimate on the way instead of the result.

    Parameters
    ----------
    method
        Whose.
    number
        Which, from 0.
    """

    method: str
    number: int


@dataclass
class PanelState:
    """The wishes of the person in front of the screen.

    Parameters
    ----------
    mask
        The sampling mask to make.
    methods
        Names of the ticked methods, in the order of the panel.
    chains
        Chains that the person made, ``A+B`` each.
    ticked_only
        Whether the panel lists the ticked methods alone.
    step
        Step to look at instead of a result; `None` for the results. It belongs to the shown slice alone.
    plane
        What the tiles show.
    error_gain
        Error maps are shown from 0 to the brightest reference value divided by this.
    signed_errors
        Whether error maps keep their sign.
    contours
        Whether segmentation contours are drawn.
    all_classes
        Whether they are those of every class, instead of lesions compared with the reference.
    radiological
        Whether the patient's left is on the right of the screen.
    lesion_method
        Method whose lesion table is shown; empty for the first that segments.
    min_lesion_ml
        Lesions smaller than this are left out of the table.
    device
        Where methods run: ``auto | cpu | cuda | cuda:N | mps``.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    mask: SamplingCondition = field(default_factory=SamplingCondition)
    methods: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    ticked_only: bool = False
    step: StepChoice | None = None
    plane: ViewPlane = ViewPlane.AXIAL
    error_gain: float = 5.0
    signed_errors: bool = False
    contours: bool = True
    all_classes: bool = False
    radiological: bool = True
    lesion_method: str = ""
    min_lesion_ml: float = 0.0
    device: str = "auto"

    def tick(self, method: str, on: bool, order: Iterable[str]) -> None:
        """Tick or untick a method, keeping `order`."""
        ticked = {*self.methods, method} if on else {*self.methods} - {method}
        self.methods = tuple(name for name in order if name in ticked)
