"""Options of a run as they are typed, and the page that lists them."""

import ast
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from mrviewer.errors import InputError
from mrviewer.methods.registry import get_method
from mrviewer.options import OptionField, OptionTraits, option, option_fields, traits_of, written
from mrviewer.training.options import TrainingOptions, describe_options, override
from mrviewer.training.recipe import Trainable
from mrviewer_models.brain_mask.options import BrainMaskOptions
from mrviewer_models.cirim.recipe import CIRIMOptions
from mrviewer_models.d5c5.recipe import D5C5Options
from mrviewer_models.idslr.recipe import IDSLROptions
from mrviewer_models.itfs_drlc.recipe import JointOptions
from mrviewer_models.linet.recipe import LINetOptions
from mrviewer_models.mtinet.recipe import MTINetOptions
from mrviewer_models.mtlrs.recipe import MTLRSOptions
from mrviewer_models.multiunet.options import MultiUNetOptions
from mrviewer_models.recseg.recipe import RecSegOptions
from mrviewer_models.segnetmri.recipe import SegNetMRIOptions
from mrviewer_models.semunet.recipe import SemuNetOptions
from mrviewer_models.seranet.recipe import SERANetOptions
from mrviewer_models.synnet.recipe import SynNetOptions
from mrviewer_models.unet_full.recipe import UNetFullOptions

PAGES = Path(__file__).resolve().parents[2] / "docs"
PAGE = PAGES / "training.md"
RECORDS: dict[type, str] = {
    TrainingOptions: "training.md",
    D5C5Options: "training.md",
    UNetFullOptions: "training.md",
    JointOptions: "training.md",
    SynNetOptions: "methods/synnet.md",
    LINetOptions: "methods/linet.md",
    SERANetOptions: "methods/seranet.md",
    MTINetOptions: "methods/mtinet.md",
    CIRIMOptions: "methods/cirim.md",
    MTLRSOptions: "methods/mtlrs.md",
    SemuNetOptions: "methods/semunet.md",
    MultiUNetOptions: "methods/multiunet.md",
    RecSegOptions: "methods/recseg.md",
    SegNetMRIOptions: "methods/segnetmri.md",
    IDSLROptions: "methods/idslr.md",
    BrainMaskOptions: "methods/brain-mask.md",
}


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass(frozen=True)
class Example:
    count: int = 1
    rate: float = 0.5
    kind: Literal["a", "b"] = "a"
    ends: tuple[float, float] = (0.0, 1.0)
    careful: bool = False
    name: str = ""
    inner: Inner = Inner()


def test_typed_values_become_what_the_fields_hold() -> None:
    typed = {"count": "7", "rate": "1e-3", "kind": "b", "ends": "2,8.5", "careful": "True", "name": "x=y", "new": "1"}
    changed, rest = override(Example(), typed)
    assert changed == Example(7, 1e-3, "b", (2.0, 8.5), True, "x=y")
    assert rest == {"new": "1"}
    assert override(Example(), {}) == (Example(), {})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("count", "many", "option count is 'many', which cannot be read as int"),
        ("count", "1.5", "option count is '1.5', which cannot be read as int"),
        ("rate", "", "option rate is '', which cannot be read as float"),
        ("kind", "c", "option kind is 'c'; choose one of a, b"),
        ("ends", "1", "option ends is '1', which cannot be read as a tuple of 2 values separated by commas"),
        ("ends", "1,2,3", "option ends is '1,2,3', which cannot be read as a tuple of 2 values separated by commas"),
        ("ends", "a,b", "option ends is 'a,b', which cannot be read as a tuple of 2 values separated by commas"),
        ("careful", "maybe", "option careful is 'maybe', which cannot be read as bool"),
    ],
)
def test_values_that_cannot_be_read_are_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        override(Example(), {name: text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "-5"), ("steps", "0"), ("batch_size", "0"), ("learning_rate", "nan"), ("learning_rate", "inf"),
        ("learning_rate", "0"), ("learning_rate", "-1e-3"), ("weight_decay", "-1"), ("real_share", "1.5"),
        ("lesion_share", "-0.1"), ("accelerations", "8,2"), ("accelerations", "0,4"), ("main_acceleration", "0.5"),
        ("center_fraction", "2"), ("crop", "-8"), ("slice_size", "-16,16"), ("decay", "0"), ("seed", "-1"),
    ],
)  # fmt: skip
def test_numbers_that_nothing_can_be_trained_with_are_refused(name: str, text: str) -> None:
    with pytest.raises(InputError, match=f"option {name} is .*give"):
        override(TrainingOptions(), {name: text})
    method = get_method("unet-full")
    assert isinstance(method, Trainable)
    with pytest.raises(InputError, match=f"option {name} is"):
        method.recipe({name: text})


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_number_of_every_recipe_has_limits_that_hold_its_default(record: type[Any]) -> None:
    for item in option_fields(record()):
        parts = item.value if isinstance(item.value, tuple) else (item.value,)
        if any(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
            assert item.read(item.text) == item.value
            with pytest.raises(InputError):
                item.read(",".join("-1" for _ in parts))


def test_a_record_inside_is_nothing_to_type() -> None:
    assert override(Example(), {"inner": "5"}) == (Example(), {"inner": "5"})


@dataclass(frozen=True)
class Described:
    """Options of a form.

    Parameters
    ----------
    count, rate
        How many, and how fast,
        in two lines. See `Example`.
    kind
        One of two.
    careful
        Whether to be careful.
    """

    kind: Literal["a", "b"] = "a"
    count: int = 1
    rate: float = option(0.5, common=True)
    grid: tuple[int, int] = (3, 4)
    shares: tuple[float, float, float] = (0.5, 0.25, 0.25)
    careful: bool = False
    name: str = ""
    inner: Inner = Inner()


@dataclass(frozen=True)
class Recipe:
    """What is looked at of a recipe."""

    training: TrainingOptions = field(default_factory=TrainingOptions)
    options: Described = field(default_factory=Described)
    structure: tuple[str, ...] = ("kind", "name")


def test_options_are_described_for_a_form() -> None:
    shown = describe_options(Recipe())
    own = [each for each in shown if each.name in Described.__dataclass_fields__]
    assert own == [
        OptionField(
            "rate", float, 0.5, "How many, and how fast, in two lines. See Example.", OptionTraits(common=True)
        ),
        OptionField("kind", Literal["a", "b"], "a", "One of two."),
        OptionField("count", int, 1, "How many, and how fast, in two lines. See Example."),
        OptionField("grid", tuple[int, int], (3, 4)),
        OptionField("shares", tuple[float, float, float], (0.5, 0.25, 0.25)),
        OptionField("careful", bool, False, "Whether to be careful."),
        OptionField("name", str, ""),
    ]
    assert [each.text for each in own] == ["0.5", "a", "1", "3,4", "0.5,0.25,0.25", "False", ""]
    assert own[1].choices == ("a", "b")
    assert {each.name for each in shown} >= {"steps", "learning_rate", "crop", "seed"}
    assert all(each.help for each in shown if each not in own)
    starting = describe_options(Recipe(TrainingOptions(start_from="weights.safetensors")))
    assert {each.name for each in shown} - {each.name for each in starting} == {"kind", "name"}


def test_what_is_described_can_be_typed_again() -> None:
    changed = Described("b", 7, 1e-7, (1, 2), (0.1, 0.2, 0.7), careful=True, name="x")
    typed = {each.name: each.text for each in describe_options(Recipe(options=changed)) if each.name != "inner"}
    assert override(Described(), typed)[0] == changed
    assert written([0.5, [1, 2]]) == "0.5,1,2"


def test_held_out_names_are_separated_by_commas() -> None:
    assert TrainingOptions(hold_out="one, two,,three ").held_out == ("one", "two", "three")
    assert TrainingOptions().held_out == ()


@pytest.mark.parametrize("name", ["d5c5", "unet-full", "itfs-drlc"])
def test_recipes_take_their_options(name: str) -> None:
    method = get_method(name)
    assert isinstance(method, Trainable)
    plan = method.recipe({"preset": "tiny", "steps": "3", "hold_out": "a"})
    assert (plan.options.preset, plan.training.steps, plan.training.held_out) == ("tiny", 3, ("a",))


def expected_rows(record: type) -> Iterator[str]:
    """What a line of the page must begin with: name, default, values."""
    hints = get_type_hints(record)
    for item in fields(record):
        if not is_dataclass(hints[item.name]):
            yield f"| `{item.name}` | {_default(item)} | {_values(hints[item.name])} |"


def _default(item: Field[Any]) -> str:
    assert item.default is not MISSING
    value = item.default
    if isinstance(value, tuple):
        return f"`{','.join(f'{part:g}' for part in value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value != "" else "empty"


def _values(hint: Any) -> str:  # noqa: ANN401 - a type annotation has no better type
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is tuple:
        return f"{len(get_args(hint))} numbers"
    return {int: "whole number", float: "number", str: "text", bool: "`True`, `False`"}[hint]


@pytest.mark.parametrize(("record", "page"), RECORDS.items(), ids=[record.__name__ for record in RECORDS])
def test_the_page_lists_every_option(record: type, page: str) -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation stays in the checkout; these tests run beside an installed wheel, too")
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    for row in expected_rows(record):
        assert any(line.startswith(row) for line in lines), f"docs/{page} has no row that begins with {row}"


def test_the_page_lists_what_recipes_change() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation stays in the checkout; these tests run beside an installed wheel, too")
    text = PAGE.read_text(encoding="utf-8")
    for name in ("d5c5", "unet-full", "itfs-drlc"):
        method = get_method(name)
        assert isinstance(method, Trainable)
        training, usual = method.recipe({}).training, TrainingOptions()
        changed = {item.name: getattr(training, item.name) for item in fields(training)}
        own = [f"`{key}={value}`" for key, value in changed.items() if value != getattr(usual, key)]
        assert f"| `{name}` | {', '.join(own) or 'none'} |" in text


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_option_that_holds_a_path_says_so(record: type[Any]) -> None:
    paths = {item.name for item in fields(record) if traits_of(item).is_path}
    looks_like_one = {item.name for item in fields(record) if item.name.endswith("_from")}
    assert looks_like_one <= paths
    assert all(traits_of(item).of_run for item in fields(record) if item.name in paths)


def test_the_core_knows_no_option_of_a_model() -> None:
    ours = {item.name for item in fields(TrainingOptions)}
    theirs = {item.name for record in RECORDS for item in fields(record)} - ours - {"shape"}
    core = Path(__file__).resolve().parents[2] / "mrviewer" / "training"
    named = {
        (path.name, node.value)
        for path in core.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in theirs
    }
    assert named == set()
