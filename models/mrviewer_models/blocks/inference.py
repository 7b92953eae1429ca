"""Running a network without gradients, in the precision that the processor is quickest in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrviewer.device import is_quick_in_bfloat16
from mrviewer.errors import WeightsError
from mrviewer.method import Measurement, Result
from mrviewer.methods.weights import load_weights
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.shapes import shape_of_weights

__all__ = [
    "fast_inference",
    "joint_result",
    "lesion_maps",
    "load_network",
    "measured_tensors",
    "network_of_weights",
    "segment_zero_filled",
]

Shape = TypeVar("Shape")


@contextmanager
def fast_inference(device: str, *, allow_bf16: bool) -> Iterator[None]:
    """No gradients, and convolutions in bfloat16 where that is native and `allow_bf16`."""
    kind = device.partition(":")[0]
    with (
        torch.inference_mode(),
        torch.autocast(kind, torch.bfloat16, enabled=allow_bf16 and is_quick_in_bfloat16(kind)),
    ):
        yield


def network_of_weights(
    build: Callable[[Shape], nn.Module], kind: type[Shape], path: Path, ignore: tuple[str, ...] = ()
) -> nn.Module:
    """Build the network whose size a file says, and fill it with the weights in the file.

    It is laid out without memory first, and built only if the weights of the file fit: a few letters in the file could
    ask for more memory than there is.

    Parameters
    ----------
    build
        Makes the network.
    kind
        Record of its size.
    path
        The file.
    ignore
        Names of tensors that are not the network's.

    Raises
    ------
    WeightsError
        If the file is damaged, or its weights belong to another architecture.
    """
    shape = shape_of_weights(path, kind)
    tensors = _tensors(path, ignore)
    try:
        with torch.device("meta"):
            layout = build(shape)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError, ArithmeticError) as error:
        raise WeightsError(
            f"{path.name} describes a network that cannot be built; give weights that mrviewer trained"
        ) from error
    _fill(layout, tensors, path, assign=True)
    return _fill(build(shape), tensors, path)


def load_network(network: nn.Module, path: Path, ignore: tuple[str, ...] = ()) -> nn.Module:
    """Fill a network with weights from a file.

    Raises
    ------
    WeightsError
        If the weights belong to another architecture.
    """
    return _fill(network, _tensors(path, ignore), path)


def _tensors(path: Path, ignore: tuple[str, ...]) -> dict[str, Tensor]:
    """What a file holds, in single precision."""
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load_weights(path).tensors.items()
        if name not in ignore
    }


def _fill(network: nn.Module, tensors: dict[str, Tensor], path: Path, *, assign: bool = False) -> nn.Module:
    """Give a network its weights; `assign` takes them over as they are, which a network without memory needs."""
    try:
        network.load_state_dict(tensors, assign=assign)
    except RuntimeError as error:
        kind = type(network).__name__
        raise WeightsError(
            f"{path.name} does not fit a {kind} of this size; give weights that were trained for it"
        ) from error
    return network


def measured_tensors(measurement: Measurement, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """K-space, pattern and maps of a measurement on a device, as the networks take them."""
    pattern = torch.from_numpy(measurement.mask.pattern.astype(np.float32))[None, None]
    return (
        torch.from_numpy(measurement.kspace).to(device),
        pattern.to(device),
        torch.from_numpy(measurement.coil_maps).to(device),
    )


def lesion_maps(logits: Tensor, object_mask: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class per pixel ``(slice, y, x)`` and probability ``(class, slice, y, x)`` of the classes but the background."""
    probability = torch.softmax(logits.float(), dim=1)
    segmentation = (probability.argmax(dim=1) * object_mask).to(torch.uint8)
    return segmentation.cpu().numpy(), probability[:, 1:].transpose(0, 1).contiguous().cpu().numpy()


def segment_zero_filled(segment: Callable[[Tensor], Tensor], measurement: Measurement, device: str) -> Result:
    """Segment the zero-filled image, by what gives logits ``(slice, class, y, x)`` of images ``(slice, y, x)``."""
    with fast_inference(device, allow_bf16=False):
        _, zero_filled = MeasuredData.from_kspace(*measured_tensors(measurement, device))
        segmentation, probabilities = lesion_maps(segment(zero_filled), zero_filled.abs() > 0)
    return Result(segmentation=segmentation, probabilities=probabilities)


def joint_result(images: Sequence[Tensor], logits: Tensor, step: str) -> Result:
    """Result of a network that reconstructs and segments.

    Parameters
    ----------
    images : complex, (slice, y, x) each
        Estimates, of which the last is the reconstruction.
    logits : real, (slice, class, y, x)
    step
        What an estimate comes after, in one word.
    """
    segmentation, probabilities = lesion_maps(logits, images[-1].abs() > 0)
    estimates = [image.cpu().numpy() for image in images]
    return Result(
        image=estimates[-1],
        segmentation=segmentation,
        probabilities=probabilities,
        steps=np.stack(estimates),
        step_names=tuple(f"{step} {number}" for number in range(1, len(estimates) + 1)),
    )
