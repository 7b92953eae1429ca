"""CIRIM: a cascade of independently recurrent inference machines."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.rim import RIM, RIMShape

__all__ = ["CIRIM", "PRESETS", "CIRIMShape", "step_names"]


@dataclass(frozen=True)
class CIRIMShape:
    """Size of the cascade: one recurrent inference machine, `cascades` times, each with weights of its own."""

    cascades: int = 5
    rim: RIMShape = field(default_factory=RIMShape)


PRESETS = {
    "paper": CIRIMShape(),
    "small": CIRIMShape(3, RIMShape(features=16, time_steps=4)),
    "tiny": CIRIMShape(2, RIMShape(features=8, time_steps=2)),
}


class CIRIM(nn.Module):
    """Reconstruction from undersampled k-space, one coil or many.

    Estimate and hidden states are carried from each machine into the next; the first begins with the zero-filled image
    and with zeros. No layer enforces data consistency: the measurement enters through the gradient alone. Each image is
    scaled by the largest magnitude of its zero-filled reconstruction at the door and scaled back at the end (ours). As
    published, 5 machines of 8 steps and 64 features, it has 264,960 parameters.

    References
    ----------
    Karkalousos D et al. (2022), Assessment of data consistency through cascades of independently recurrent inference
    machines for fast and robust accelerated MRI reconstruction, Phys Med Biol 67:124001,
    doi:10.1088/1361-6560/ac6cc2.
    """

    def __init__(self, shape: CIRIMShape) -> None:
        super().__init__()
        self.shape = shape
        self.cascades = nn.ModuleList(RIM(shape.rim) for _ in range(shape.cascades))

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> list[Tensor]:
        """Estimates ``(batch, y, x)`` after every time step of every cascade; the last is the reconstruction.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        data, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        hidden = None
        steps: list[Tensor] = []
        for rim in self.cascades:
            made, hidden = rim(data, image, hidden)
            image = made[-1]
            steps += made
        return [step * scale for step in steps]


def step_names(shape: CIRIMShape) -> tuple[str, ...]:
    """What each of the estimates is, in words."""
    return tuple(
        f"cascade {cascade}, step {step}"
        for cascade in range(1, shape.cascades + 1)
        for step in range(1, shape.rim.time_steps + 1)
    )
