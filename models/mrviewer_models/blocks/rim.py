"""The recurrent inference machine (RIM): a small recurrent network that learns how to descend to the image."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.blocks.data_consistency import MeasuredData

__all__ = ["N_HIDDEN", "RIM", "RIMCell", "RIMShape", "RecurrentUnit"]

RecurrentUnit = Literal["indrnn", "gru", "mgu"]

N_HIDDEN = 2
"""Hidden states of a cell."""


@dataclass(frozen=True)
class RIMShape:
    """Size of a recurrent inference machine.

    Parameters
    ----------
    features
        Channels of the hidden states.
    time_steps
        How often the cell is applied.
    unit
        What keeps the hidden states: ``indrnn`` (independently recurrent, the paper's), ``gru`` (gated) or ``mgu``
        (minimal gated).
    """

    features: int = 64
    time_steps: int = 8
    unit: RecurrentUnit = "indrnn"


class IndRNN(nn.Module):
    """Independently recurrent unit ``h' = ReLU(W * u + b + r h)``: `W` is 1 x 1, `r` one number a channel.

    References
    ----------
    Li S et al. (2018), Independently recurrent neural network (IndRNN): building a longer and deeper RNN, CVPR,
    doi:10.1109/CVPR.2018.00572.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.feed = nn.Conv2d(features, features, 1)
        self.recur = nn.Parameter(torch.empty(1, features, 1, 1))
        # A variance of 1 / (f (1 + k^2)) with k = 1, and not a deviation: that would shrink the features eightfold.
        deviation = math.sqrt(1 / (2 * features))
        nn.init.normal_(self.feed.weight, std=deviation)
        nn.init.normal_(self.recur, std=deviation)
        nn.init.zeros_(self.get_parameter("feed.bias"))

    def forward(self, features: Tensor, hidden: Tensor | None) -> Tensor:
        """Next hidden state ``(batch, f, y, x)``; `None` is a state of zeros."""
        fed = self.feed(features)
        if hidden is not None:
            fed = fed.addcmul_(self.recur.to(fed.dtype), hidden.to(fed.dtype))
        return torch.relu_(fed)


class GRU(nn.Module):
    """Convolutional gated recurrent unit with 1 x 1 kernels.

    References
    ----------
    Cho K et al. (2014), Learning phrase representations using RNN encoder-decoder for statistical machine translation,
    arXiv:1406.1078.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.feed = nn.Conv2d(features, 3 * features, 1)
        self.recur = nn.Conv2d(features, 3 * features, 1, bias=False)

    def forward(self, features: Tensor, hidden: Tensor | None) -> Tensor:
        """Next hidden state ``(batch, f, y, x)``; `None` is a state of zeros."""
        fed = self.feed(features)
        reset, update, new = fed.chunk(3, dim=1)
        if hidden is None:
            return (1 - torch.sigmoid(update)) * torch.tanh(new)
        reset_kept, update_kept, new_kept = self.recur(hidden).chunk(3, dim=1)
        update = torch.sigmoid(update + update_kept)
        candidate = torch.tanh(new + torch.sigmoid(reset + reset_kept) * new_kept)
        return update * hidden + (1 - update) * candidate


class MGU(nn.Module):
    """Convolutional minimal gated unit with 1 x 1 kernels: one gate both forgets and resets.

    References
    ----------
    Zhou G et al. (2016), Minimal gated unit for recurrent neural networks, Int J Autom Comput 13:226-234,
    doi:10.1007/s11633-016-1006-2.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.feed = nn.Conv2d(features, 2 * features, 1)
        self.recur = nn.Conv2d(features, 2 * features, 1, bias=False)

    def forward(self, features: Tensor, hidden: Tensor | None) -> Tensor:
        """Next hidden state ``(batch, f, y, x)``; `None` is a state of zeros."""
        gate, new = self.feed(features).chunk(2, dim=1)
        if hidden is None:
            return torch.sigmoid(gate) * torch.tanh(new)
        gate_kept, new_kept = self.recur(hidden).chunk(2, dim=1)
        gate = torch.sigmoid(gate + gate_kept)
        return (1 - gate) * hidden + gate * torch.tanh(new + gate * new_kept)


_UNITS: dict[RecurrentUnit, type[IndRNN] | type[GRU] | type[MGU]] = {"indrnn": IndRNN, "gru": GRU, "mgu": MGU}


class RIMCell(nn.Module):
    """One time step: from estimate and gradient of the data term to a change of the estimate.

    Convolution 5 x 5, ReLU, recurrent unit, convolution 3 x 3 with dilation 2, ReLU, recurrent unit, convolution 3 x 3
    without bias; all padded by replication. With 64 features and `IndRNN` it has 52,992 parameters.

    Convolutions are He-normal with zero bias. Ours: the last one begins at a hundredth of that, so that tens of steps
    in a row do not explode, and with `IndRNN` the first four features begin as the positive and negative part of the
    gradient, so that a fresh cell takes a step of gradient descent. Only where it begins is ours; all of it learns.
    """

    def __init__(self, shape: RIMShape) -> None:
        super().__init__()
        self.shape = shape
        unit = _UNITS[shape.unit]
        self.enter = nn.Conv2d(4, shape.features, 5)
        self.widen = nn.Conv2d(shape.features, shape.features, 3, dilation=2)
        self.leave = nn.Conv2d(shape.features, 2, 3, bias=False)
        self.units = nn.ModuleList([unit(shape.features) for _ in range(N_HIDDEN)])
        for convolution in (self.enter, self.widen, self.leave):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)
        with torch.no_grad():
            self.leave.weight.mul_(0.01)
            if shape.unit == "indrnn":
                self._begin_as_descent()

    def forward(
        self, estimate: Tensor, gradient: Tensor, hidden: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Take one step.

        Parameters
        ----------
        estimate, gradient : complex, (batch, y, x)
        hidden : (batch, f, y, x) each
            States after the last step; `None` at the very first.

        Returns
        -------
        change : complex, (batch, y, x)
        hidden : (batch, f, y, x) each
        """
        pair = torch.cat([torch.view_as_real(estimate), torch.view_as_real(gradient)], dim=-1)
        features = torch.relu_(self.enter(_replicate(pair.permute(0, 3, 1, 2), 2)))
        first = self.units[0](features, hidden and hidden[0])
        features = torch.relu_(self.widen(_replicate(first, 2)))
        second = self.units[1](features, hidden and hidden[1])
        change = self.leave(_replicate(second, 1)).float().permute(0, 2, 3, 1).contiguous()
        return torch.view_as_complex(change), (first, second)

    def _begin_as_descent(self) -> None:
        """Let the first features pass the gradient through: the change is minus the gradient and little else."""
        for feature, sign in enumerate((1.0, -1.0, 1.0, -1.0)[: self.shape.features]):
            part = feature // 2
            _pass_on(self.enter, feature, 2 + part, sign)
            _pass_on(self.widen, feature, feature)
            for unit in self.units:
                assert isinstance(unit, IndRNN)
                _pass_on(unit.feed, feature, feature)
                unit.recur[0, feature] = 0
            self.leave.weight[:, feature] = 0
            self.leave.weight[part, feature, 1, 1] = -sign


class RIM(nn.Module):
    """`time_steps` applications of one cell, each fed with the gradient of ``1/2 |A x - y|^2`` at its estimate.

    References
    ----------
    Lønning K et al. (2019), Recurrent inference machines for reconstructing heterogeneous MRI data, Med Image Anal
    53:64-78, doi:10.1016/j.media.2019.01.005.
    """

    def __init__(self, shape: RIMShape) -> None:
        super().__init__()
        self.shape = shape
        self.cell = RIMCell(shape)

    def forward(
        self, data: MeasuredData, image: Tensor, hidden: tuple[Tensor, ...] | None = None
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Estimates ``(batch, y, x)`` after every time step, and the hidden states after the last.

        Parameters
        ----------
        data
            The measurement, one coil or many.
        image : complex, (batch, y, x)
            Where to begin.
        hidden : (batch, f, y, x) each
            Of the machine before; `None` begins with zeros.
        """
        steps = []
        for _ in range(self.shape.time_steps):
            change, hidden = self.cell(image, -data.residual(image), hidden)
            image = image + change
            steps.append(image)
        assert hidden is not None
        return steps, hidden


def _pass_on(convolution: nn.Conv2d, to: int, source: int, sign: float = 1.0) -> None:
    """Let one output of a convolution be one of its inputs, or its negative."""
    middle = convolution.kernel_size[0] // 2
    convolution.weight[to] = 0
    convolution.weight[to, source, middle, middle] = sign


def _replicate(features: Tensor, margin: int) -> Tensor:
    return F.pad(features, (margin, margin, margin, margin), mode="replicate")
