"""What an image looks like, and what is said of methods whose cards do not speak of such images."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from mrviewer.cards.seen import Seen, unlike_grid
from mrviewer.cli import app
from mrviewer.geometry import Geometry
from mrviewer.images.image_look import ImageKind, ImageLook, look_at
from mrviewer.method import Card, Needs, Task, caution_of_look
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method
from mrviewer.phantom import sample_study
from mrviewer.study import Image, Study

Volume = NDArray[np.float32]
SHAPE = (12, 96, 80)
GRID = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))


def head(*, skull: bool, fluid: float = 0.3) -> Volume:
    """A brain of tissue 1 with a chamber of fluid, perhaps within dark bone, bright scalp and noisy air."""
    rng = np.random.default_rng(0)
    z, y, x = np.ogrid[-1:1:12j, -1:1:96j, -1:1:80j]
    radius = np.sqrt(z**2 / 2 + y**2 + x**2)
    brain = radius < (0.6 if skull else 0.9)
    image = np.where(brain, 1 + 0.1 * rng.standard_normal(SHAPE), 0)
    image[np.broadcast_to(radius < 0.25, SHAPE)] = fluid
    if skull:
        image += np.where((radius > 0.75) & (radius < 0.9), 1.5, 0) + 0.03 * np.abs(rng.standard_normal(SHAPE))
    return image.astype(np.float32)


def as_image(volume: Volume, modality: str = "FLAIR") -> Image:
    return Image(volume, GRID, modality)


def as_study(volume: Volume, modality: str = "FLAIR", grid: Geometry = GRID) -> Study:
    return Study("one", {modality: Image(volume, grid, modality)})


def card(seen: Seen | None) -> Card:
    return Card("net", "Net", (Task.SEGMENT,), Needs(), "doi:10.1000/1", seen=seen)


@pytest.mark.parametrize("scale", [1e-5, 1.0, 4000.0])
def test_a_whole_head_and_a_brain_alone_are_told_apart_at_any_scale(scale: float) -> None:
    assert look_at(as_image(head(skull=True) * np.float32(scale))).is_cut_out is False
    assert look_at(as_image(head(skull=False) * np.float32(scale))).is_cut_out is True


@pytest.mark.parametrize(("fluid", "is_bright"), [(0.3, False), (3.0, True)])
def test_bright_fluid_is_seen_in_a_brain_alone(fluid: float, is_bright: bool) -> None:
    assert look_at(as_image(head(skull=False, fluid=fluid))).fluid_is_bright is is_bright
    assert look_at(as_image(head(skull=True, fluid=fluid))).fluid_is_bright is None


def test_a_crop_within_a_head_is_neither() -> None:
    crop = head(skull=False)[4:8, 30:66, 24:56]
    assert look_at(Image(crop, Geometry.axial((4, 36, 32), (3.0, 1.0, 1.0)), "T1")).is_cut_out is None


@pytest.mark.parametrize(
    ("volume", "kind"),
    [
        (np.zeros(SHAPE, np.float32), ImageKind.EMPTY),
        (np.full(SHAPE, 7, np.float32), ImageKind.EMPTY),
        (np.full(SHAPE, np.nan, np.float32), ImageKind.EMPTY),
        (head(skull=True) * 1040 - 1000, ImageKind.HOUNSFIELD),
        (np.random.default_rng(1).random(SHAPE, np.float32), ImageKind.NOISE),
        (head(skull=False) - np.float32(0.2), ImageKind.USUAL),
    ],
    ids=["zero", "constant", "nan", "ct", "noise", "negative"],
)
def test_unusual_values_are_told(volume: Volume, kind: ImageKind) -> None:
    assert look_at(as_image(volume)).kind is kind


def test_tiny_images_are_looked_at() -> None:
    for shape in ((1, 1, 1), (1, 2, 2), (3, 1, 5)):
        volume = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        assert isinstance(look_at(Image(volume, Geometry.axial(shape, (1.0, 1.0, 1.0)), "T1")), ImageLook)


@pytest.mark.parametrize(
    ("look", "modality", "words"),
    [
        (ImageLook(ImageKind.HOUNSFIELD), "FLAIR", "Hounsfield units of CT"),
        (ImageLook(ImageKind.NOISE), "FLAIR", "may be noise"),
        (ImageLook(ImageKind.EMPTY), "FLAIR", "same value everywhere"),
        (ImageLook(ImageKind.USUAL, is_cut_out=False), "FLAIR", "whole head"),
        (ImageLook(ImageKind.USUAL, is_cut_out=True, fluid_is_bright=True), "FLAIR", "brighter than tissue, as in T2"),
        (ImageLook(ImageKind.USUAL, is_cut_out=True, fluid_is_bright=False), "T2", "fluid is dark"),
    ],
)
def test_what_a_card_does_not_speak_of_is_said(look: ImageLook, modality: str, words: str) -> None:
    assert words in caution_of_look(card(Seen(whole_heads=False)), modality, look)
    assert caution_of_look(card(None), modality, look) == ""


@pytest.mark.parametrize("modality", ["FLAIR", "T1", "unknown"])
def test_usual_images_are_not_commented(modality: str) -> None:
    seen = card(Seen(whole_heads=False))
    assert caution_of_look(seen, modality, look_at(as_image(head(skull=False)))) == ""
    whole = look_at(as_image(head(skull=True)))
    assert caution_of_look(card(Seen(whole_heads=True)), modality, whole) == ""


def test_a_grid_unlike_those_of_training_is_a_caution_of_the_fit() -> None:
    seen = Seen(whole_heads=False, pixel_mm=(1.0, 1.0), matrix=(180, 224))
    assert unlike_grid(seen, Geometry.axial((20, 224, 182), (3.0, 1.0, 1.2))) == ()
    [pixels] = unlike_grid(seen, Geometry.axial((20, 224, 200), (3.0, 0.45, 0.45)))
    assert pixels == "pixels of 1 mm, and these are 0.45 x 0.45 mm"
    [matrix] = unlike_grid(seen, Geometry.axial((20, 512, 400), (3.0, 1.0, 1.0)))
    assert matrix == "slices of 180 to 224 pixels an edge, and these have 400 x 512"
    thick = Seen(slice_mm=(1.0, 3.0))
    assert unlike_grid(thick, Geometry.axial((20, 224, 200), (6.0, 1.0, 1.0))) == ()
    [distance] = unlike_grid(thick, Geometry.axial((20, 224, 200), (6.5, 0.9, 0.9)))
    assert distance == "slices 1 to 3 mm apart, and these are 6.5 mm apart"
    fine = as_study(head(skull=False), grid=Geometry.axial(SHAPE, (3.0, 0.4, 0.4)))
    assert "pixels of 1 mm, and these are 0.4 x 0.4 mm" in get_method("seranet").fits(fine, "FLAIR").caution
    assert "pixels" not in get_method("unet-full").fits(fine, "FLAIR").caution


def test_the_sample_is_within_every_card() -> None:
    study = sample_study(0)
    for name in ("d5c5", "cirim", "seranet", "mtlrs", "semunet", "multiunet", "unet-full"):
        assert get_method(name).fits(study, "FLAIR").caution == ""


def test_a_chain_speaks_for_its_segmenter() -> None:
    chain = Chain(get_method("zero-filled"), get_method("multiunet"))
    assert chain.card.seen == get_method("multiunet").card.seen


def test_the_command_says_so_before_and_in_its_results(tmp_path: Path) -> None:
    path = tmp_path / "FLAIR.nii.gz"
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    nib.save(nib.Nifti1Image(np.transpose(head(skull=True), (2, 1, 0)), affine), path)
    output = tmp_path / "out"
    arguments = ["reconstruct", f"FLAIR={path}", "--mask", "full", "--method", "d5c5", "--output", str(output)]
    done = CliRunner().invoke(app, [*arguments, "--device", "cpu"])
    assert done.exit_code == 0, done.output
    caution = "d5c5 was trained on brains without skull, and this looks like a whole head"
    assert done.stderr.index(f"caution: {caution}") < done.stderr.index("wrote")
    notes = json.loads((output / "metrics.json").read_text(encoding="utf-8"))["notes"]
    assert any(note.startswith(caution) for note in notes)
