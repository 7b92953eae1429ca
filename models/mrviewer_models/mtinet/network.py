"""MTI-Net: tumour mask, enhancement and class of a four-phase liver slice from one network.

References
----------
Xiao X, Hu QV, Kim TH, Wang G (2025), Adversarial multi-task learning for liver tumor segmentation, dynamic enhancement
regression, and classification, arXiv:2511.20793. The abstract names the modules; every layer here is ours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.blocks.unet import pad_to_multiple
from mrviewer_models.mtinet.discriminator import Discriminator, Tasks
from mrviewer_models.mtinet.encoder import SLOPE, Encoder, conv_norm, normalisation
from mrviewer_models.mtinet.mdief import MdIEF, MeanFusion
from mrviewer_models.mtinet.phase_transformer import PhaseTransformer
from mrviewer_models.mtinet.shape import N_PHASES, MTIShape
from mrviewer_models.mtinet.tim import SeparateTasks, TaskInteraction, region_mean, region_weights

__all__ = ["Generator", "MTINet", "Prediction"]

MULTIPLE = 8
"""Three stages halve the resolution."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the generator says of slices.

    Parameters
    ----------
    coarse, logits : (batch, 1, y, x)
        Logits of tumour before and after the tasks have read each other; the same tensor without TIM.
    regression : (batch, value)
        See `mrviewer_models.mtinet.targets`.
    class_logits : (batch, class)
        Logits of the class.
    """

    coarse: Tensor
    logits: Tensor
    regression: Tensor
    class_logits: Tensor

    def tasks(self) -> Tasks:
        """Probabilities in place of logits."""
        return Tasks(torch.sigmoid(self.logits), self.regression, torch.softmax(self.class_logits, dim=1))


class UpStep(nn.Module):
    """Double the resolution, put the fused stage beside it, and convolve twice."""

    def __init__(self, below: int, width: int) -> None:
        super().__init__()
        self.upsample = nn.ConvTranspose2d(below, width, 2, stride=2)
        self.first = conv_norm(2 * width, width, normalisation(width, "instance"))
        self.second = conv_norm(width, width, normalisation(width, "instance"))

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Features from below ``(batch, below, y, x)`` and the stage of twice the size."""
        joined = torch.cat([skip, self.upsample(features)], dim=1)
        return F.leaky_relu(self.second(F.leaky_relu(self.first(joined), SLOPE)), SLOPE)


class Generator(nn.Module):
    """Encoder, phase Transformer, fusion at every stage, decoder, task interaction, and the heads."""

    def __init__(self, shape: MTIShape) -> None:
        super().__init__()
        widths, deepest = shape.widths, shape.widths[-1]
        self.pooling, self.sharpness = shape.pooling, shape.sharpness
        self.encoder = Encoder(shape)
        self.phases = PhaseTransformer(deepest) if shape.with_phase_transformer else nn.Identity()
        self.fusion = nn.ModuleList(
            MdIEF(width, shape.spectrum) if shape.with_mdief else MeanFusion() for width in widths
        )
        self.decoder = nn.ModuleList(
            UpStep(below, width) for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.coarse = nn.Conv2d(shape.base, 1, 1)
        self.sees_phases = shape.region == "phases"
        n_extra = N_PHASES * shape.base if self.sees_phases else 0
        self.interaction = TaskInteraction(shape.base, deepest, n_extra) if shape.with_tim else SeparateTasks(deepest)
        hidden = deepest // 2
        self.regression = nn.Sequential(nn.Linear(deepest, hidden), nn.GELU(), nn.Linear(hidden, shape.n_values))
        self.classifier = nn.Sequential(
            nn.Linear(2 * deepest, hidden), nn.GELU(), nn.Dropout(0.3), nn.Linear(hidden, shape.n_classes)
        )
        # Training begins at what is nearly always true, no tumour, and not at a coin toss.
        for name, parameter in self.named_parameters():
            if name in ("coarse.bias", "interaction.head.bias"):
                nn.init.constant_(parameter, -4.0)

    def forward(self, phases: Tensor, label: Tensor | None = None) -> Prediction:
        """Answers about slices of any size.

        Parameters
        ----------
        phases : (batch, phase, y, x)
            Normalised.
        label : (batch, 1, y, x)
            In training, the region in place of the coarse mask, where it is not empty.
        """
        height, width = phases.shape[-2:]
        stages = self.encoder(pad_to_multiple(phases, MULTIPLE))
        stages[-1] = self.phases(stages[-1])
        fused = [fuse(stage) for fuse, stage in zip(self.fusion, stages, strict=True)]
        features = deepest = fused.pop()
        for step in self.decoder:
            features = step(features, fused.pop())
        coarse = self.coarse(features)
        weights = region_weights(coarse if label is None else _guided(coarse, label), self.sharpness)
        pooled = self._pooled(deepest, weights)
        seen = torch.cat([features, stages[0].flatten(1, 2)], dim=1) if self.sees_phases else features
        logits, token = self.interaction(features, coarse, pooled, seen, weights)
        return Prediction(
            coarse[..., :height, :width],
            logits[..., :height, :width],
            self.regression(token),
            self.classifier(torch.cat([pooled, token], dim=1)),
        )

    def _pooled(self, deepest: Tensor, weights: Tensor) -> Tensor:
        """One vector ``(batch, channel)`` of the deepest features."""
        if self.pooling == "mean":
            return deepest.mean(dim=(2, 3))
        shares = F.adaptive_avg_pool2d(weights.detach(), (deepest.shape[2], deepest.shape[3]))
        return region_mean(deepest, shares / shares.sum(dim=(2, 3), keepdim=True))


def _guided(coarse: Tensor, label: Tensor) -> Tensor:
    """Logits of the label where there is one, else the coarse ones."""
    rows, columns = coarse.shape[2] - label.shape[2], coarse.shape[3] - label.shape[3]
    sure = F.pad(40 * label - 20, (0, columns, 0, rows), value=-20.0)
    return torch.where(label.amax(dim=(2, 3), keepdim=True) > 0, sure, coarse)


class MTINet(nn.Module):
    """The generator, and the discriminator that it is trained against; only the first is asked for answers."""

    def __init__(self, shape: MTIShape) -> None:
        super().__init__()
        self.shape = shape
        self.generator = Generator(shape)
        self.discriminator = Discriminator(shape) if shape.with_tdd else None

    def forward(self, phases: Tensor, label: Tensor | None = None) -> Prediction:
        """See `Generator.forward`."""
        prediction: Prediction = self.generator(phases, label)
        return prediction
