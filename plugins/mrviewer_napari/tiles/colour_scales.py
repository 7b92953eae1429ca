"""One window for all images, one scale for all error maps."""

from collections.abc import Sequence

import numpy as np
from napari.experimental import link_layers, unlink_layers
from napari.layers import Image
from napari.utils.colormaps import Colormap

from mrviewer.errors import InputError

__all__ = ["ColourScales"]

_SHARED = ("contrast_limits", "gamma")
_SHARED_BY_ERRORS = (*_SHARED, "colormap")
_SIGNED = Colormap([[0.34, 0.71, 0.91], [0, 0, 0], [1.0, 0.75, 0.2]], name="too low, equal, too high")


class ColourScales:
    """Gray window of the images and colour scale of the error maps.

    Error maps run from 0 (or minus the limit) to ``limit / gain``. Changing the limits of one layer by hand changes
    those of all layers of its kind.
    """

    def __init__(self) -> None:
        self._images: list[Image] = []
        self._errors: list[Image] = []
        self._limit, self._gain, self._signed = 1.0, 1.0, False
        self._linked = True

    @property
    def gain(self) -> float:
        """Magnification of the errors."""
        return self._gain

    @property
    def signed(self) -> bool:
        """Whether error maps tell too high from too low."""
        return self._signed

    def adopt(self, images: Sequence[Image], errors: Sequence[Image]) -> None:
        """Take over the layers; new images get the window of the first, all error maps the error scale."""
        for old, shared in ((self._images, _SHARED), (self._errors, _SHARED_BY_ERRORS)):
            if old:
                unlink_layers(old, shared)
        window, gamma = (images[0].contrast_limits, images[0].gamma) if images else ((0, 1), 1)
        for image in images:
            image.colormap, image.gamma, image.contrast_limits = "gray", gamma, window
        self._images, self._errors = list(images), list(errors)
        self._scale_errors()
        self.link(on=self._linked)
        if len(self._errors) > 1:
            link_layers(self._errors, _SHARED_BY_ERRORS)

    def link(self, *, on: bool) -> None:
        """Let all images share one window, or each have its own."""
        self._linked = on
        if len(self._images) < 2:
            return
        if on:
            self.window(self._images[0].contrast_limits)
            link_layers(self._images, _SHARED)
        else:
            unlink_layers(self._images, _SHARED)

    def window(self, limits: tuple[float, float]) -> None:
        """Set the window of all images."""
        for image in self._images:
            image.contrast_limits = limits

    def scale_errors(
        self, *, limit: float | None = None, gain: float | None = None, signed: bool | None = None
    ) -> None:
        """Change what is given of the error scale.

        Raises
        ------
        InputError
            If a limit or gain is not above zero.
        """
        limit = self._limit if limit is None else limit
        gain = self._gain if gain is None else gain
        if not (np.isfinite(limit) and np.isfinite(gain) and limit > 0 and gain > 0):
            raise InputError(f"the error scale is {limit} with gain {gain}; give two finite numbers above 0")
        self._limit, self._gain = float(limit), float(gain)
        self._signed = self._signed if signed is None else signed
        self._scale_errors()

    def _scale_errors(self) -> None:
        top = self._limit / self._gain
        for layer in self._errors:
            colours = _SIGNED.name if self._signed else "inferno"
            limits = (-top if self._signed else 0.0, top)
            # napari draws anew for everything that it is told, also where it is as before.
            if layer.colormap.name != colours:
                layer.colormap = _SIGNED if self._signed else colours
            if layer.gamma != 1:
                layer.gamma = 1
            if tuple(layer.contrast_limits) != limits:
                layer.contrast_limits = limits
