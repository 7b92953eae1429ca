"""Reference implementations of other projects, run from a folder of checkouts that the user names.

``MRVIEWER_PEERS`` names the folder; it holds checkouts under the names of their repositories, ``fastMRI``
(facebookresearch) and ``atommic`` (wdika). Nothing of them is part of this project.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.rim import RIMShape
from mrviewer_models.blocks.unet import UNet, UNetShape

__all__ = ["REFERENCES", "PeerMissingError", "Scan"]

Scan = tuple[Tensor, ...]
"""K-space ``(1, coil, y, x)``, pattern ``(1, 1, 1 | y, x)`` and maps ``(1, coil, y, x)``; or an image alone."""


class PeerMissingError(Exception):
    """A reference implementation is not there; the message says why."""


@dataclass(frozen=True)
class BarePackages(MetaPathFinder):
    """Find the packages of a checkout as folders of modules, without what their ``__init__`` would import.

    Parameters
    ----------
    root, top
        Folder of the checkout, and name of its package.
    """

    root: Path
    top: str

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Answer for folders; modules are found as always."""
        folder = self.root.joinpath(*name.split("."))
        if name.partition(".")[0] != self.top or not folder.is_dir():
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


def _module(repository: str, name: str, stand_ins: Mapping[str, Mapping[str, object]] | None = None) -> ModuleType:
    """Import a module of a checkout; `stand_ins` are members of packages that it asks for and does not need."""
    folder = os.environ.get("MRVIEWER_PEERS")
    if not folder:
        raise PeerMissingError("MRVIEWER_PEERS is not set")
    root = Path(folder) / repository
    if not root.joinpath(*name.split(".")).with_suffix(".py").is_file():
        raise PeerMissingError(f"MRVIEWER_PEERS has no {repository} with {name}")
    finder = BarePackages(root, name.partition(".")[0])
    lacking = {package: members for package, members in (stand_ins or {}).items() if not _installed(package)}
    sys.meta_path.insert(0, finder)
    for package, members in lacking.items():
        sys.modules[package] = ModuleType(package)
        vars(sys.modules[package]).update(members)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PeerMissingError(f"{repository} cannot be imported: {error}") from error
    finally:
        sys.meta_path.remove(finder)
        for package in lacking:
            del sys.modules[package]


def _installed(package: str) -> bool:
    return package in sys.modules or importlib.util.find_spec(package) is not None


def _atommic(name: str) -> ModuleType:
    # Its Fourier transforms ask whether their axes are of this type, and need nothing else of OmegaConf.
    list_config = type("ListConfig", (list,), {})
    return _module("atommic", f"atommic.collections.{name}", {"omegaconf": {"ListConfig": list_config}})


def _same_size(ours: nn.Module, theirs: nn.Module) -> None:
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (ours, theirs)]
    assert counts[0] == counts[1], f"we have {counts[0]} parameters and the reference {counts[1]}"


def _same_kernels(ours: nn.Module, theirs: nn.Module) -> None:
    counts = [sum(each.numel() for each in net.parameters() if each.ndim > 1) for net in (ours, theirs)]
    assert counts[0] == counts[1], f"our kernels have {counts[0]} weights and those of the reference {counts[1]}"


def _fastmri_unet(shape: UNetShape) -> nn.Module:
    unet: nn.Module = _module("fastMRI", "fastmri.models.unet").Unet(
        shape.inputs, shape.outputs, chans=shape.base, num_pool_layers=shape.levels - 1
    )
    return unet


def with_fastmri_unets(network: nn.Module) -> nn.Module:
    """Our composition, every U-Net of it replaced by fastMRI's of the same size.

    Where ours normalises batches or has biases, only the kernels are of the same size: fastMRI's normalises images.
    """
    other = deepcopy(network)
    for name, part in network.named_modules():
        if isinstance(part, UNet):
            unet = _fastmri_unet(part.shape)
            _same_kernels(part, unet)
            other.set_submodule(name, DeafUNet(unet))
    return other.eval()


class DeafUNet(nn.Module):
    """A U-Net that is not interested in whose image it is given."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, image: Tensor, *, teacher: bool = False) -> Tensor:
        """Images ``(batch, inputs, y, x)``."""
        del teacher
        output: Tensor = self.unet(image)
        return output


def fastmri_unets(network: nn.Module) -> Callable[[Scan], object]:
    """See `with_fastmri_unets`."""
    other = with_fastmri_unets(network)
    return lambda scan: other(*scan)


def _atommic_rims(shape: RIMShape, count: int) -> nn.ModuleList:
    block = _atommic("reconstruction.nn.rim_base.rim_block").RIMBlock
    width = shape.features
    return nn.ModuleList(
        block(
            recurrent_layer="IndRNN",
            conv_filters=[width, width, 2],
            conv_kernels=[5, 3, 3],
            conv_dilations=[1, 2, 1],
            conv_bias=[True, True, False],
            recurrent_filters=[width, width, 0],
            recurrent_kernels=[1, 1, 0],
            recurrent_dilations=[1, 1, 0],
            recurrent_bias=[True, True, False],
            time_steps=shape.time_steps,
            fft_centered=True,
            fft_normalization="ortho",
        )
        for _ in range(count)
    ).eval()


def _pairs(scan: Scan) -> Scan:
    """Real and imaginary part last, as ATOMMIC keeps them."""
    kspace, pattern, maps = scan
    return torch.view_as_real(kspace), pattern[..., None], torch.view_as_real(maps)


def atommic_cirim(network: nn.Module) -> Callable[[Scan], object]:
    """Its recurrent inference machines, one after the other."""
    shape: Any = network.shape
    rims = _atommic_rims(shape.rim, shape.cascades)
    _same_size(network, rims)

    def forward(scan: Scan) -> object:
        kspace, pattern, maps = _pairs(scan)
        steps, hidden = rims[0](kspace, kspace, maps, pattern)
        for rim in rims[1:]:
            steps, hidden = rim(kspace, kspace, maps, pattern, steps[-1], hidden)
        return steps

    return forward


def atommic_mtlrs(network: nn.Module) -> Callable[[Scan], object]:
    """Its machines and its attention U-Nets by turns, the segmentation times the image added to the hidden states."""
    shape: Any = network.shape
    segmentation, cascades = shape.segmentation, shape.reconstruction.cascades
    rims = _atommic_rims(shape.reconstruction.rim, cascades)
    kind = _atommic("segmentation.nn.attentionunet_base.attentionunet_block").AttentionUnet
    unets = nn.ModuleList(
        kind(segmentation.inputs, segmentation.outputs, segmentation.base, segmentation.levels - 1)
        for _ in range(cascades)
    ).eval()
    _same_size(network, nn.ModuleList([rims, unets]))

    def forward(scan: Scan) -> object:
        kspace, pattern, maps = _pairs(scan)
        image, hidden, logits = None, None, None
        for rim, unet in zip(rims, unets, strict=True):
            steps, hidden = rim(kspace, kspace, maps, pattern, image, hidden)
            image = steps[-1]
            magnitude = torch.view_as_complex(image.contiguous()).abs()[:, None]
            logits = unet(magnitude)
            seen = (magnitude * logits).abs()
            hidden = [state + seen.repeat(1, state.shape[1] // seen.shape[1], 1, 1) for state in hidden]
        return image, logits

    return forward


REFERENCES: dict[str, tuple[str, Callable[[nn.Module], Callable[[Scan], object]]]] = {
    "cirim": ("ATOMMIC", atommic_cirim),
    "mtlrs": ("ATOMMIC", atommic_mtlrs),
    **dict.fromkeys(("itfs_drlc", "recseg", "seranet", "synnet", "unet_full"), ("fastMRI U-Nets", fastmri_unets)),
}
"""Whose implementation a method is held against, and what runs it; the others have none that can be run."""
