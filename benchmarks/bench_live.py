"""The live slice: one mask change, against FFT, mask and inverse FFT as training libraries write them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks import harness
from benchmarks.harness import Row
from benchmarks.samples import sample
from mrviewer.physics import adjoint
from mrviewer.reconstruction.acquisition import MagnitudeRawData
from mrviewer.reconstruction.live import LiveSlice
from mrviewer.sampling import Mask, make_mask
from mrviewer.study import Image

CHANGES = 40
"""Mask changes in one round; a single one is too short to time."""

PEER = "plain centred torch FFT, mask, inverse"


def rows() -> Iterator[Row]:
    """Change line masks and point masks on one axial slice."""
    data = sample()
    raw = MagnitudeRawData(Image(data.flair, data.geometry, "FLAIR"))
    index = raw.shape[0] // 2
    shape = raw.shape[2:]
    for title, name, target in (("line masks", "random", 0.25), ("point masks", "gaussian-2d", 0.5)):
        masks = [make_mask(name, shape, seed=seed) for seed in range(CHANGES)]
        yield _row(f"{CHANGES} changes of {title}, one slice", raw, index, masks, target, data.source)


def _row(title: str, raw: MagnitudeRawData, index: int, masks: Sequence[Mask], target: float, source: str) -> Row:
    if reason := harness.missing("torch"):
        return harness.skipped(title, peer=PEER, target=target, reason=reason)
    live = LiveSlice(raw, index)
    expected = np.abs(adjoint(raw.kspace(index), raw.coil_maps(index), masks[0].pattern))
    difference = np.abs(live.zero_filled(masks[0]) - expected).max() / expected.max()
    size = " x ".join(str(edge) for edge in expected.shape)
    return harness.pair(
        title,
        lambda: [live.zero_filled(mask) for mask in masks],
        _plain_loop(raw, index, masks),
        peer=PEER,
        target=target,
        rounds=15,
        note=f"{source}, {size}; differs from the adjoint by {difference:.0e} of the maximum",
    )


def _plain_loop(raw: MagnitudeRawData, index: int, masks: Sequence[Mask]) -> Callable[[], object]:
    """What fastMRI and DIRECT do for one coil: shift, transform, shift; mask; and the same backwards."""
    import torch

    axes = (-2, -1)
    image = torch.from_numpy(adjoint(raw.kspace(index), raw.coil_maps(index)).astype(np.complex64))
    patterns = [torch.from_numpy(mask.pattern.astype(np.float32)) for mask in masks]

    def change(pattern: torch.Tensor) -> torch.Tensor:
        kspace = torch.fft.ifftshift(image, dim=axes)
        kspace = torch.fft.fft2(kspace, dim=axes, norm="ortho")
        kspace = torch.fft.fftshift(kspace, dim=axes) * pattern
        zero_filled = torch.fft.ifftshift(kspace, dim=axes)
        zero_filled = torch.fft.ifft2(zero_filled, dim=axes, norm="ortho")
        return torch.fft.fftshift(zero_filled, dim=axes).abs()

    return lambda: [change(pattern) for pattern in patterns]
