"""``preset=paper`` is the paper's training too, and not only the size of its network."""

from dataclasses import asdict

import pytest

from mrviewer.methods.registry import get_method
from mrviewer.options import option_fields
from mrviewer.training.recipe import Recipe, Trainable
from mrviewer_models.paper_training import PAPER_TRAINING

EVERY = [(method, preset) for method, presets in PAPER_TRAINING.items() for preset in presets]


def plan_of(method: str, **options: str) -> Recipe:
    trainable = get_method(method)
    assert isinstance(trainable, Trainable)
    return trainable.recipe(options)


@pytest.mark.parametrize(("method", "preset"), EVERY)
def test_a_preset_of_a_paper_sets_the_training_of_the_paper(method: str, preset: str) -> None:
    plan = plan_of(method, preset=preset)
    known = {**asdict(plan.training), **asdict(plan.options)}
    fields = {item.name: item for record in (plan.training, plan.options) for item in option_fields(record)}
    for name, text in PAPER_TRAINING[method][preset].items():
        assert known[name] == fields[name].read(text), name
    assert plan.training.precision == "fp32"


@pytest.mark.parametrize(("method", "preset"), EVERY)
def test_what_is_typed_takes_its_place(method: str, preset: str) -> None:
    plan = plan_of(method, preset=preset, steps="7", learning_rate="0.5", main_share="1")
    assert (plan.training.steps, plan.training.learning_rate) == (7, 0.5)


def test_other_presets_are_as_they_were() -> None:
    assert plan_of("mtlrs").training.learning_rate == 2e-3
    assert plan_of("itfs-drlc", preset="tiny").training.schedule == "one_cycle"


def test_atlas_differs_in_its_rate_alone() -> None:
    paper, atlas = plan_of("itfs-drlc", preset="paper"), plan_of("itfs-drlc", preset="paper_atlas")
    assert atlas.training.learning_rate == 1e-6
    assert atlas.options.shape == paper.options.shape
    assert {**asdict(atlas.training), "learning_rate": 1e-4} == asdict(paper.training)
