"""MTLRS: recurrent inference machines and attention U-Nets that inform each other."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import smooth_magnitude, standardise
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.rim import RIMShape
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.blocks.unet_presets import att_unet_in
from mrviewer_models.cirim.network import CIRIM, CIRIMShape
from mrviewer_models.mtlrs.coupling import ConcatCoupling, Coupling, SegActivation, couple, seen_segmentation

__all__ = ["MTLRS", "PRESETS", "MTLRSShape"]

_LESION_LOGIT = -4.0


@dataclass(frozen=True)
class MTLRSShape:
    """Sizes of both parts, and how they are coupled.

    Parameters
    ----------
    reconstruction, segmentation
        Sizes; the outputs of the latter are the classes, each with a probability of its own.
    coupling
        How a segmentation enters the hidden states of the next machine: ``add`` (the public code), ``replace``
        (equation 5 to the letter), ``concat_1x1`` (learned, ours), or ``none``: a single segmenter after the last
        machine.
    seg_activation
        See `seen_segmentation`.
    detach_seg_input
        Whether the image that the segmenters see lets no gradient through, as in the first public code.
    """

    reconstruction: CIRIMShape = field(default_factory=CIRIMShape)
    segmentation: UNetShape = field(default_factory=lambda: att_unet_in(1, 2))
    coupling: Coupling = "add"
    seg_activation: SegActivation = "sigmoid"
    detach_seg_input: bool = False


PRESETS = {
    "paper": MTLRSShape(),
    "small": MTLRSShape(CIRIMShape(3, RIMShape(features=16, time_steps=4)), att_unet_in(1, 2, base=16)),
    "tiny": MTLRSShape(CIRIMShape(2, RIMShape(features=8, time_steps=2)), att_unet_in(1, 2, base=4)),
}


class MTLRS(nn.Module):
    """Reconstruct and segment in turns: what is segmented steers the next cascade of the reconstruction.

    With 2 classes and the sizes of the paper it has 5 x (52,992 + 1,983,556) parameters.

    References
    ----------
    Karkalousos D et al. (2023), MultiTask learning for accelerated-MRI reconstruction and segmentation of brain lesions
    in multiple sclerosis, PMLR 227:991-1005.
    """

    def __init__(self, shape: MTLRSShape) -> None:
        super().__init__()
        self.shape = shape
        cascades, rim, classes = shape.reconstruction.cascades, shape.reconstruction.rim, shape.segmentation.outputs
        self.reconstruction = CIRIM(shape.reconstruction)
        n_segmenters = 1 if shape.coupling == "none" else cascades
        self.segmentation = nn.ModuleList(UNet(shape.segmentation) for _ in range(n_segmenters))
        n_learned = cascades - 1 if shape.coupling == "concat_1x1" else 0
        self.coupling = nn.ModuleList(ConcatCoupling(rim.features, classes) for _ in range(n_learned))
        for name, parameter in self.segmentation.named_parameters():
            if name.endswith("decoder.head.bias"):
                # Training begins at what is nearly always true, no lesion, and not at a coin toss (ours).
                parameter.data[0] = _LESION_LOGIT

    def segment(self, image: Tensor, number: int = -1) -> Tensor:
        """Logits ``(batch, class, y, x)`` of complex images ``(batch, y, x)`` by segmenter `number`."""
        if self.shape.detach_seg_input:
            image = image.detach()
        image = image / image.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        logits: Tensor = self.segmentation[number](standardise(smooth_magnitude(image))[:, None])
        return logits

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple[list[Tensor], Tensor]:
        """Estimates ``(batch, y, x)`` after every time step of every cascade, and the logits of the last cascade.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        data, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        hidden, logits = None, None
        steps: list[Tensor] = []
        for number, rim in enumerate(self.reconstruction.cascades):
            if logits is not None:
                assert hidden is not None
                hidden = self._coupled(number - 1, hidden, image, logits)
            made, hidden = rim(data, image, hidden)
            image = made[-1]
            steps += made
            if self.shape.coupling != "none":
                logits = self.segment(image, number)
        return [step * scale for step in steps], self.segment(image) if logits is None else logits

    def _coupled(self, number: int, hidden: tuple[Tensor, ...], image: Tensor, logits: Tensor) -> tuple[Tensor, ...]:
        seen = seen_segmentation(image, logits, self.shape.seg_activation)
        if self.shape.coupling in ("add", "replace"):
            return couple(hidden, seen, self.shape.coupling)
        mixed: tuple[Tensor, ...] = self.coupling[number](hidden, seen)
        return mixed
