"""An image that no scanner took, of a head that is a label map, and where its brain is.

References
----------
Hoopes A et al. (2022), SynthStrip: skull-stripping for any brain image, NeuroImage 260:119474,
doi:10.1016/j.neuroimage.2022.119474. Billot B et al. (2023), SynthSeg, Medical Image Analysis 86:102789,
doi:10.1016/j.media.2023.102789.
"""

import numpy as np
from numpy.typing import NDArray

from mrviewer_models.brain_mask.contrast import add_lesions, add_texture, random_means
from mrviewer_models.brain_mask.fields import Rng, chance
from mrviewer_models.brain_mask.scaling import scaled
from mrviewer_models.brain_mask.shaping import nearest, random_places, sampled
from mrviewer_models.brain_mask.spoiling import cut, remove_face, spoil, strip

__all__ = ["synthesise"]

FloatArray = NDArray[np.float32]


def synthesise(
    rng: Rng, groups: NDArray[np.uint8], brain: NDArray[np.uint8], edge: int, voxel_mm: float
) -> tuple[FloatArray, FloatArray]:
    """Image and share of brain, each ``(edge, edge, edge)``.

    Parameters
    ----------
    rng
        Source of all chance.
    groups, brain : (z, y, x)
        Of an `Anatomy`.
    edge, voxel_mm
        Of the image.
    """
    places = random_places(rng, brain, edge, voxel_mm)
    image, share = sampled((random_means(rng)[groups], brain.astype(np.float32)), places)
    tissue = nearest(groups, places)
    image = add_texture(rng, image, tissue)
    if chance(rng, 0.3):
        image = add_lesions(rng, image, tissue)
    if chance(rng, 0.15):
        image = remove_face(rng, image, share)
    image = spoil(rng, image, tissue, voxel_mm)
    # Last, because whoever cuts out a brain does so after the scan: there is no noise around it.
    if chance(rng, 0.2):
        image = strip(rng, image, share, tissue)
    if chance(rng, 0.5):
        image, share = cut(rng, image, share)
    return scaled(image.numpy()), share.clamp(0, 1).numpy()
