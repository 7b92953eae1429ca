"""Options of a stranger's dataclass: read from text, checked by what their types and limits say, and written again."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from mrviewer.errors import InputError
from mrviewer.options import SHARE, Limits, OptionField, option, option_fields
from mrviewer.training.options import TrainingOptions, override, saved_options


class Filter(Enum):
    """An enumeration of somebody else."""

    HANN = "hann"
    NONE = "none"


@dataclass(frozen=True)
class Strange:
    """What a recipe of somebody else may hold.

    Parameters
    ----------
    depth
        How deep.
    """

    depth: Annotated[int, {"min": 1, "max": 6, "step": 1}] = 3
    share: float = option(0.25, SHARE)
    below: Annotated[float, {"max": 2.0}] = 1.0
    norm: Literal["batch", "instance"] = "instance"
    planes: Literal[1, 3] = 1
    window: Filter = Filter.HANN
    kernel: Annotated[int, {"choices": [3, 5, 7]}] = 3
    width: int = option(16, choices=(8, 16))
    atlas: Path | None = None
    limit: int | None = None
    sizes: tuple[int, ...] = (32, 16)
    crop: tuple[int, int] = option((64, 48), Limits(0))
    careful: bool = True
    note: str = ""
    folder: Path = Path("data")


FIELDS = {item.name: item for item in option_fields(Strange())}

GOOD = [
    ("depth", "6", 6),
    ("share", "0.5", 0.5),
    ("below", "-3", -3.0),
    ("norm", "batch", "batch"),
    ("planes", "3", 3),
    ("window", "none", Filter.NONE),
    ("window", "HANN", Filter.HANN),
    ("kernel", "7", 7),
    ("width", "8", 8),
    ("atlas", "atlas.nii.gz", Path("atlas.nii.gz")),
    ("atlas", "", None),
    ("limit", "4", 4),
    ("limit", "", None),
    ("sizes", "8,4,2", (8, 4, 2)),
    ("sizes", "", ()),
    ("crop", "0,16", (0, 16)),
    ("careful", "false", False),
    ("note", "a, b", "a, b"),
]

BAD = [
    ("depth", "7", "option depth is 7, which cannot be used; give 1 to 6"),
    ("depth", "deep", "option depth is 'deep', which cannot be read as int"),
    ("share", "nan", "option share is nan, which is not finite; give a number"),
    ("below", "3", "option below is 3, which cannot be used; give 2 or less"),
    ("norm", "group", "option norm is 'group'; choose one of batch, instance"),
    ("planes", "2", "option planes is '2'; choose one of 1, 3"),
    ("window", "hamming", "option window is 'hamming'; choose one of hann, none"),
    ("kernel", "4", "option kernel is '4'; choose one of 3, 5, 7"),
    ("width", "9", "option width is '9'; choose one of 8, 16"),
    ("limit", "some", "option limit is 'some', which cannot be read as int"),
    ("sizes", "8,x", "option sizes is '8,x', which cannot be read as int values separated by commas"),
    ("crop", "8", "option crop is '8', which cannot be read as a tuple of 2 values separated by commas"),
    ("crop", "-8,8", "option crop is -8,8, which cannot be used; give 0 or more"),
    ("folder", "", "option folder is '', which cannot be read as Path"),
    ("careful", "maybe", "option careful is 'maybe', which cannot be read as bool"),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_text_becomes_what_the_field_holds(name: str, text: str, value: object) -> None:
    assert FIELDS[name].read(text) == value
    assert override(Strange(), {name: text})[0] == replace(Strange(), **{name: value})


@pytest.mark.parametrize(("name", "text", "sentence"), BAD)
def test_what_cannot_be_used_is_refused_with_a_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        FIELDS[name].read(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("item", FIELDS.values(), ids=lambda item: item.name)
def test_a_default_is_written_as_it_is_read(item: OptionField) -> None:
    assert item.read(item.text) == item.value


def test_the_help_and_the_limits_are_described() -> None:
    assert FIELDS["depth"].help == "How deep."
    assert FIELDS["depth"].traits.limits == Limits(1, 6)
    assert FIELDS["window"].choices == (Filter.HANN, Filter.NONE)
    assert FIELDS["kernel"].choices == (3, 5, 7)


def test_a_type_that_no_text_holds_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        table: dict[str, int] | None = None
        parts: list[int] | None = None

    for item in option_fields(Odd()):
        with pytest.raises(InputError, match=r"cannot be given as text; leave it out"):
            item.read("1")


@dataclass(frozen=True)
class Recipe:
    training: TrainingOptions
    options: Strange


def test_what_is_saved_beside_weights_holds_no_folder_and_no_objects() -> None:
    saved = saved_options(Recipe(TrainingOptions(), Strange(atlas=Path("/home/anna/data/atlas.nii.gz"))))
    assert saved["atlas"] == "data/atlas.nii.gz"
    assert saved["window"] == "hann"
    assert saved["sizes"] == [32, 16]
