"""Figures show what they were given, at true proportions, and hold nothing else."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from mrviewer import cli
from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.writers import write_volume
from mrviewer.writers.contours import outlines
from mrviewer.writers.figures import DISCLAIMER, FOOTER, Figure, Panel, write_figure

TITLE_AND_SOME = 100
"""A row of the picture below the titles."""
SVG = "{http://www.w3.org/2000/svg}"


def area(polygon: tuple[tuple[int, int], ...]) -> float:
    """Signed area by the shoelace formula: above 0 clockwise as seen, with y downwards."""
    x, y = np.asarray(polygon).T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


@pytest.mark.parametrize("seed", range(8))
def test_outlines_enclose_the_mask(seed: int) -> None:
    mask = np.random.default_rng(seed).random((9, 12)) < 0.5
    polygons = outlines(mask)
    assert sum(area(polygon) for polygon in polygons) == np.count_nonzero(mask)
    points = (np.indices(mask.shape).reshape(2, -1).T + 0.5)[:, ::-1]
    crossings = np.zeros(len(points), int)
    for polygon in polygons:
        for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            if x0 == x1:
                crossings += (points[:, 0] < x0) & (points[:, 1] > min(y0, y1)) & (points[:, 1] < max(y0, y1))
    np.testing.assert_array_equal(crossings % 2 == 1, mask.ravel())


def test_outlines_of_simple_masks() -> None:
    assert outlines(np.zeros((3, 3), bool)) == []
    assert outlines(np.ones((2, 3), bool)) == [((0, 0), (3, 0), (3, 2), (0, 2))]
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert sorted(area(polygon) for polygon in outlines(ring)) == [-1, 9]
    assert [area(polygon) for polygon in outlines(np.eye(2, dtype=bool))] == [1, 1]


def figure() -> Figure:
    values = np.arange(200.0).reshape(10, 20)
    mask = values > 150
    return Figure(
        [
            Panel(values, "Reconstruction <4x>", (0, 199), masks={"lesions": mask}),
            Panel(values - 100, "error", (-100, 100), signed=True),
        ],
        (2.0, 0.5),
    )


def test_pixels_have_their_true_proportions(tmp_path: Path) -> None:
    with Picture.open(write_figure(tmp_path / "a.png", figure())) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
        assert set(picture.info) <= {"dpi"}
    drawing = ElementTree.parse(write_figure(tmp_path / "a.svg", figure())).getroot()
    image = drawing.find(f"{SVG}image")
    width, height = (float(image.attrib[name]) for name in ("width", "height"))
    assert width / height == pytest.approx(20 * 0.5 / (10 * 2), rel=0.01)
    assert pixels.shape[:2] == (int(drawing.attrib["height"]), int(drawing.attrib["width"]))


def test_the_scale_bar_is_as_long_as_it_says(tmp_path: Path) -> None:
    drawing = ElementTree.parse(write_figure(tmp_path / "a.svg", figure())).getroot()
    bar = drawing.findall(f"{SVG}rect")[-1]
    length = next(
        int(match[1]) for text in drawing.findall(f"{SVG}text") if (match := re.match(r"(\d+) mm", text.text))
    )
    pixels_per_mm = float(drawing.find(f"{SVG}image").attrib["width"]) / (20 * 0.5)
    assert float(bar.attrib["width"]) == pytest.approx(length * pixels_per_mm, rel=0.01)


def test_colours_run_from_blue_over_white_to_red(tmp_path: Path) -> None:
    signed = Panel(np.array([[-1.0, 0.0, 1.0]]), "", (-1, 1), signed=True)
    with Picture.open(write_figure(tmp_path / "a.png", Figure([signed], (1.0, 1.0)))) as picture:
        pixels = np.asarray(picture)
    row = pixels[TITLE_AND_SOME]
    assert [tuple(row[column]) for column in (100, 800, 1400)] == [(0, 0, 255), (255, 255, 255), (255, 0, 0)]


def test_panels_stand_in_rows_with_the_sides_of_the_patient(tmp_path: Path) -> None:
    one = figure().panels[0]
    grid = Figure([one, one, None, one], (1.0, 1.0), columns=2, sides=("R", "L"))
    with Picture.open(write_figure(tmp_path / "a.png", grid)) as picture:
        size, pixels = picture.size, np.asarray(picture)
    drawing = ElementTree.parse(write_figure(tmp_path / "a.svg", grid)).getroot()
    assert size == (int(drawing.attrib["width"]), int(drawing.attrib["height"]))
    corners = {(int(image.attrib["x"]), int(image.attrib["y"])) for image in drawing.iter(f"{SVG}image")}
    assert len({x for x, _ in corners}) == len({y for _, y in corners}) == 2
    assert len(corners) == 3
    assert np.all(pixels[size[1] * 3 // 4, 4 : size[0] // 2 - 10] == 255), "the third place is free"
    words = [text.text for text in drawing.iter(f"{SVG}text")]
    assert (words.count("R"), words.count("L")) == (3, 3)


@pytest.mark.parametrize("columns", [1, 200])
def test_every_figure_says_that_it_is_for_research(tmp_path: Path, columns: int) -> None:
    drawn = Figure([Panel(np.zeros((200, columns)), "", (0, 1))], (1.0, 1.0))
    drawing = ElementTree.parse(write_figure(tmp_path / "a.svg", drawn)).getroot()
    assert [text.text for text in drawing.iter(f"{SVG}text")][-1] == f"mrviewer: {DISCLAIMER}"
    with Picture.open(write_figure(tmp_path / "a.png", drawn)) as picture:
        footer = np.asarray(picture.convert("L"))[-FOOTER:]
    inked = np.flatnonzero((footer < 200).any(axis=0))
    assert np.ptp(inked) > 200, "a line of words"
    assert inked.max() < footer.shape[1] - 8, "none of them cut off"
    assert not (footer[[0, -1]] < 200).any()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in .png or .svg"):
        write_figure(tmp_path / "a.jpg", figure())
    with pytest.raises(InputError, match="no panel"):
        write_figure(tmp_path / "a.png", Figure([], (1.0, 1.0)))
    other = Panel(np.zeros((4, 4)), "", (0, 1))
    with pytest.raises(ShapeError, match="slices of one size"):
        write_figure(tmp_path / "a.png", Figure([*figure().panels, other], (1.0, 1.0)))
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_the_slice_with_most_lesion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = Geometry.axial((5, 12, 10), (3.0, 1.0, 1.0))
    volume = np.random.default_rng(0).random(grid.shape).astype(np.float32)
    lesions = np.zeros(grid.shape, np.uint8)
    lesions[3, 4:8, 4:8] = 1
    image, error = (write_volume(tmp_path / f"{name}.nii.gz", volume, grid) for name in ("Zyxwv", "error"))
    mask = write_volume(tmp_path / "mask.nii.gz", lesions, grid)
    given = ["export-figure", "--image", str(image), "--error", str(error), "--segmentation", str(mask)]
    assert cli.main([*given, "--output", str(tmp_path / "a.svg")]) == 0
    text = (tmp_path / "a.svg").read_text()
    assert "slice 3" in text
    assert text.count("<image") == 2
    assert text.count("<polygon") == 1
    assert "Zyxwv" not in text
    assert cli.main([*given, "--slice", "9", "--output", str(tmp_path / "b.svg")]) == 1
    assert "Zyxwv.nii.gz has slices 0 to 4" in capsys.readouterr().err
