"""A form from a dataclass alone: the types, limits, choices and help of its fields become widgets."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, LineEdit, Slider, SpinBox, TupleEdit
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLineEdit

from mrviewer.options import SHARE, SIZE, Limits, option, option_fields
from mrviewer.training.options import TrainingOptions, describe_options
from mrviewer_napari.sections.finetune.options_form import OptionsForm
from mrviewer_napari.widgets.option_widget import OptionWidget, option_widgets

pytestmark = pytest.mark.usefixtures("qapp")


class Filter(Enum):
    """An enumeration of somebody else."""

    HANN = "hann"
    NONE = "none"


@dataclass(frozen=True)
class StrangersOptions:
    """Options of somebody else's recipe.

    Parameters
    ----------
    depth
        How many levels the network has.
    atlas
        Where the atlas lies.
    """

    depth: Annotated[int, {"min": 1, "max": 6}] = 3
    width: int = 4096
    share: float = option(0.25, SHARE)
    fine: float = option(0.0625, SHARE, step=0.01)
    rate: float = 1e-6
    tiny: float = option(1e-5, SHARE)
    scale: float = option(2.0, SIZE, step=0.5)
    norm: Literal["batch", "instance"] = "instance"
    planes: Literal[1, 3] = 3
    window: Filter = Filter.HANN
    place: Annotated[Filter | None, {"choices": [("anywhere", None), ("by Hann", Filter.HANN)]}] = None
    size: Annotated[int, {"choices": [8, 16, 32]}] = 16
    careful: bool = True
    verified: bool | None = None
    atlas: Path | None = None
    weights: str = option("", is_path=True)
    crop: tuple[int, int] = option((64, 48), Limits(0, 512))
    sizes: tuple[int, ...] = (32, 16)
    note: str = "as typed"
    level: Annotated[int, {"min": 0, "max": 9, "widget_type": "Slider", "label": "Level of detail"}] = 4


@dataclass(frozen=True)
class StrangersRecipe:
    training: TrainingOptions
    options: Any


WIDGETS = [
    ("depth", SpinBox, "3"),
    ("width", SpinBox, "4096"),
    ("share", FloatSpinBox, "0.25"),
    ("fine", FloatSpinBox, "0.0625"),
    ("rate", LineEdit, "1e-06"),
    ("tiny", LineEdit, "1e-05"),
    ("scale", FloatSpinBox, "2"),
    ("norm", ComboBox, "instance"),
    ("planes", ComboBox, "3"),
    ("window", ComboBox, "hann"),
    ("place", ComboBox, ""),
    ("size", ComboBox, "16"),
    ("careful", CheckBox, "True"),
    ("verified", ComboBox, ""),
    ("atlas", FileEdit, ""),
    ("weights", FileEdit, ""),
    ("crop", TupleEdit, "64,48"),
    ("sizes", LineEdit, "32,16"),
    ("note", LineEdit, "as typed"),
    ("level", Slider, "4"),
]


@pytest.fixture
def form() -> dict[str, OptionWidget]:
    return option_widgets(StrangersOptions())


@pytest.mark.parametrize(("name", "kind", "shown"), WIDGETS)
def test_a_field_gets_the_widget_of_its_type(form: dict[str, OptionWidget], name: str, kind: type, shown: str) -> None:
    assert type(form[name].widget) is kind
    assert form[name].text == shown
    assert form[name].value == getattr(StrangersOptions(), name)


def test_every_field_was_looked_at(form: dict[str, OptionWidget]) -> None:
    assert list(form) == [name for name, _, _ in WIDGETS]


def test_limits_choices_and_steps_are_those_of_the_dataclass(form: dict[str, OptionWidget]) -> None:
    assert (form["depth"].widget.min, form["depth"].widget.max) == (1, 6)
    assert (form["share"].widget.min, form["share"].widget.max) == (0, 1)
    assert form["fine"].widget.step == 0.01
    assert [box.max for box in form["crop"].widget] == [512, 512]
    assert form["size"].widget.choices == ("8", "16", "32")
    assert form["window"].widget.choices == ("hann", "none")
    assert form["place"].native.itemText(0) == "anywhere"
    assert form["verified"].widget.choices == ("", "True", "False")


def test_help_and_limits_stand_in_the_tool_tip(form: dict[str, OptionWidget]) -> None:
    assert "How many levels the network has." in form["depth"].native.toolTip()
    assert "1 to 6" in form["depth"].native.toolTip()
    line = form["atlas"].native.findChild(QLineEdit)
    assert "Where the atlas lies." in line.toolTip()
    assert form["level"].label == "Level of detail"
    assert form["depth"].label == "depth"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("depth", "5"), ("fine", "0.12345"), ("norm", "batch"), ("window", "none"), ("place", "hann"),
        ("careful", "False"), ("verified", "True"), ("atlas", "a/b.nii.gz"), ("crop", "8,16"), ("sizes", "1,2,3"),
        ("rate", "0.001"), ("level", "7"), ("note", ""),
    ],
)  # fmt: skip
def test_a_shown_text_comes_back_and_is_not_sent(form: dict[str, OptionWidget], name: str, text: str) -> None:
    sent: list[str] = []
    form[name].on_change(sent.append)
    form[name].show(text)
    assert form[name].text == text
    assert sent == []


@pytest.mark.parametrize(("name", "text"), [("depth", "9"), ("size", "7"), ("window", "hamming"), ("crop", "1")])
def test_a_text_that_no_widget_can_hold_leaves_it(form: dict[str, OptionWidget], name: str, text: str) -> None:
    before = form[name].text
    form[name].show(text)
    assert form[name].text == before


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("norm", "batch", "batch"), ("depth", 4, "4"), ("crop", (16, 48), "16,48"), ("careful", False, "False")],
)
def test_what_the_user_chooses_is_sent(form: dict[str, OptionWidget], name: str, value: object, text: str) -> None:
    sent: list[str] = []
    form[name].on_change(sent.append)
    form[name].widget.value = value
    assert sent[-1] == text


def test_the_form_of_a_recipe_takes_both_records_and_marks_what_was_refused(qtbot: QtBot) -> None:
    form = OptionsForm()
    qtbot.addWidget(form)
    recipe = StrangersRecipe(TrainingOptions(), StrangersOptions())
    form.show_fields(describe_options(recipe), {"depth": "5", "rate": "fast"})
    assert form.editors["depth"].widget.text == "5"
    assert form.editors["rate"].widget.text == "fast", "what was typed stays, so that it can be mended"
    assert type(form.editors["steps"].widget.widget) is SpinBox
    assert type(form.editors["precision"].widget.widget) is ComboBox
    form.show_problems({"rate": "option rate is 'fast', which cannot be read as float"})
    assert form.editors["rate"].problem.text()
    assert not form.editors["depth"].problem.text()


def test_every_option_of_a_run_shows_its_default() -> None:
    for item in option_fields(TrainingOptions()):
        assert OptionWidget(item).text == item.text


def test_the_numbers_of_a_tuple_fit_side_by_side_into_the_panel(qtbot: QtBot) -> None:
    @dataclass(frozen=True)
    class Three:
        shares: tuple[float, float, float] = option((0.4, 0.25, 0.35), SHARE)

    widget = option_widgets(Three())["shares"]
    qtbot.addWidget(widget.native)
    widget.native.setStyleSheet("QAbstractSpinBox { min-width: 70px; }")
    widget.native.show()
    assert widget.native.minimumSizeHint().width() <= 260
    assert widget.text == "0.4,0.25,0.35"
