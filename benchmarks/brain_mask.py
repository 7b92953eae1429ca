"""How well `brain-mask` does on heads that it never saw: the figures of its card.

    python -m benchmarks.brain_mask --visits ../shared/data/ms_lesjak_longitudinal/patient01 \
        --maps held_out_maps.csv --cut-out SCAN.nii.gz ... [--weights run/weights.safetensors]

Prints a line for each visit of a patient (`brainmask.nii.gz` in a common space, `studyN_FLAIR.nii.gz`, and an ITK
transform of each), for each label map (synthetic images that depend on a seed alone), and for each image of a
brain that somebody cut out.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import mrviewer.reconstruction.brain
from mrviewer.database import open_database
from mrviewer.geometry import Geometry
from mrviewer.metrics.overlap import overlap
from mrviewer.progress import finish
from mrviewer.readers import read_image
from mrviewer.reconstruction.brain import BrainMask, find_brain
from mrviewer.study import Image
from mrviewer_models.brain_mask import METHOD
from mrviewer_models.brain_mask.anatomies import prepare_anatomies
from mrviewer_models.brain_mask.synthesis import synthesise

__all__ = ["main"]

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_EDGE, _VOXEL_MM = 96, 2.0


@dataclass(frozen=True)
class Found:
    """A brain, and how long it took."""

    brain: BrainMask
    seconds: float

    def __str__(self) -> str:
        """Volume, agreement, time and warning."""
        brain = self.brain
        said = f"{brain.volume_ml:.0f} ml, agreement {brain.agreement:.2f}, {self.seconds:.1f} s"
        return f"{said}; {brain.warning}" if brain.warning else said


def main(arguments: list[str] | None = None) -> None:
    """Print the figures that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.brain_mask", description=__doc__)
    parser.add_argument("--weights", type=Path, help="weights in place of the shipped ones")
    parser.add_argument("--visits", type=Path, help="folder of a patient with a brain mask in a common space")
    parser.add_argument("--maps", help="table of label maps, as for training")
    parser.add_argument("--images", type=int, default=6, help="synthetic images of each label map")
    parser.add_argument("--cut-out", type=Path, nargs="*", default=[], help="images of brains without a skull")
    parser.add_argument("--scans", type=Path, nargs="*", default=[], help="images without a reference")
    given = parser.parse_args(arguments)
    method = METHOD.with_weights(given.weights) if given.weights else METHOD
    mrviewer.reconstruction.brain.get_method = lambda _name: method  # type: ignore[attr-defined]
    lines = [
        *([] if given.visits is None else [_visits(given.visits)]),
        *([] if given.maps is None else [_maps(given.maps, given.images)]),
        _cut_out(given.cut_out),
        (f"{'/'.join(path.parts[-2:])}: {_found(read_image(path))}" for path in given.scans),
    ]
    for group in lines:
        for line in group:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


def _found(image: Image) -> Found:
    started = time.perf_counter()
    brain = finish(find_brain(image, "cpu"))
    return Found(brain, time.perf_counter() - started)


def _visits(folder: Path) -> Iterator[str]:
    reference = read_image(folder / "brainmask.nii.gz")
    for path in sorted(folder.glob("study*_FLAIR.nii.gz")):
        image = read_image(path)
        to_raw = _itk_matrix(path.with_name(path.name.replace(".nii.gz", "_to_common_space.txt")))
        wanted = _on_grid(reference, image.geometry, to_raw)
        found = _found(image)
        voxel_ml = float(np.prod(image.geometry.voxel_size_mm)) / 1000
        outside, missed = (
            voxel_ml * np.count_nonzero(one & ~other)
            for one, other in ((found.brain.mask, wanted), (wanted, found.brain.mask))
        )
        agreed = overlap(wanted, found.brain.mask)
        yield f"{path.name}: Dice {agreed.dice:.3f}, {outside:.0f} ml outside, {missed:.0f} ml missed; {found}"


def _maps(table: str, n_images: int) -> Iterator[str]:
    for index, anatomy in enumerate(finish(prepare_anatomies(open_database([table])))):
        groups, brain = anatomy.read()
        scores, agreements = [], []
        for number in range(n_images):
            image, share = synthesise(np.random.default_rng([9, index, number]), groups, brain, _EDGE, _VOXEL_MM)
            geometry = Geometry.axial((_EDGE,) * 3, (_VOXEL_MM,) * 3)
            found = finish(find_brain(Image(image, geometry, "unknown"), "cpu"))
            scores.append(overlap(share > 0.5, found.mask).dice)
            agreements.append(found.agreement)
        each = ", ".join(f"{score:.3f} at {agreement:.2f}" for score, agreement in zip(scores, agreements, strict=True))
        median = float(np.median(scores))
        yield f"{anatomy.name}: median Dice {median:.3f} of {n_images} images; each and its agreement: {each}"


def _cut_out(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        image = read_image(path)
        there = ndimage.binary_fill_holes(image.volume() != 0)
        found = _found(image)
        kept = np.count_nonzero(there & found.brain.mask) / max(np.count_nonzero(there), 1)
        yield f"{'/'.join(path.parts[-2:])}: {kept:.4f} of what is not 0 kept; {found}"


def _itk_matrix(path: Path) -> NDArray[np.float64]:
    """Affine ``(4, 4)`` of an ITK text file, from a point in LPS mm to another."""
    text = path.read_text(encoding="utf-8")
    found = [re.search(rf"^{name}: (.*)$", text, re.MULTILINE) for name in ("Parameters", "FixedParameters")]
    values, centre = (np.array(each[1].split(), float) for each in found if each is not None)
    matrix = np.eye(4)
    matrix[:3, :3] = values[:9].reshape(3, 3)
    matrix[:3, 3] = values[9:] + centre - matrix[:3, :3] @ centre
    return matrix


def _on_grid(reference: Image, geometry: Geometry, to_raw: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A mask in common space on the grid of a raw image."""
    to_common = _TO_LPS @ np.linalg.inv(to_raw) @ _TO_LPS
    matrix = np.linalg.inv(reference.geometry.affine) @ to_common @ geometry.affine
    volume = ndimage.affine_transform(
        reference.volume().astype(np.float32), matrix, output_shape=geometry.shape, order=1
    )
    return np.asarray(volume > 0.5)


if __name__ == "__main__":
    main()
