"""The training loop: what it leaves, how it goes on, and what it never sees."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mrviewer.database import Subject
from mrviewer.device import place_network
from mrviewer.errors import InputError, WeightsError
from mrviewer.geometry import Geometry
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.progress import Progress, Skipped, finish
from mrviewer.study import Image, Study
from mrviewer.training import cli_train
from mrviewer.training.checkpoint import load_checkpoint, save_checkpoint
from mrviewer.training.cutting import StepCut, cuttable
from mrviewer.training.data import batches
from mrviewer.training.data.slice_stacks import SliceStack
from mrviewer.training.fitting import Fitting, learning_rate
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer.training.world import open_world

SIZE = (24, 20)
TINY = {"preset": "tiny", "steps": "6", "batch_size": "2", "crop": "0", "crop_rows": "0", "main_share": "1"}
NAMES = ("anna", "bert", "carl")


def head(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Four slices ``(z, y, x)`` of a disc with a bright square, and the square."""
    y, x = np.linspace(-1, 1, SIZE[0])[:, None], np.linspace(-1, 1, SIZE[1])
    rng = np.random.default_rng(seed)
    images = (np.hypot(y, x) < 0.8) * rng.uniform(0.3, 0.6, (4, 1, 1))
    labels = np.zeros(images.shape, np.uint8)
    row, column = rng.integers(6, 12, 2)
    labels[:, row : row + 4, column : column + 4] = 1
    images[labels > 0] = 1
    return images.astype(np.float32), labels


def subject(number: int) -> Subject:
    images, labels = head(number)
    geometry = Geometry.axial(images.shape, (4.0, 1.0, 1.0))
    study = Study(NAMES[number], {"FLAIR": Image(images, geometry, "FLAIR")}, Image(labels, geometry, "labels"))
    return Subject(NAMES[number], lambda: study)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A database of three small subjects; the list takes the names of those whose slices are asked for."""
    asked: list[str] = []

    def prepare(subjects: Sequence[Subject], masks: Path | None, *_: object) -> Generator[Progress, None, SliceStack]:
        assert masks is None
        heads = [head(NAMES.index(each.name)) for each in subjects]
        for number, each in enumerate(subjects):
            asked.append(each.name)
            yield Progress(number + 1, len(subjects), f"prepared {each.name}")
        images = np.concatenate([image for image, _ in heads]).astype(np.float16)
        labels = np.concatenate([label for _, label in heads])
        known = np.ones(len(images), bool)
        return SliceStack(images, labels, 0 * labels, known, ~known, np.arange(len(images)) % 2 == 0)

    monkeypatch.setattr("mrviewer.training.loop.open_database", lambda _: [subject(number) for number in range(3)])
    monkeypatch.setattr("mrviewer.training.data.batches.prepare_slices", prepare)
    return asked


def train(recipe: str, output: Path, **overrides: str) -> Path:
    return finish(cli_train(recipe, ["anything"], output, "cpu", {**TINY, **overrides}))


def events(output: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "recipe", ["d5c5", "unet-full", "itfs-drlc", "synnet", "linet", "seranet", "recseg", "segnetmri", "idslr"]
)
def test_a_run_leaves_what_it_promises(recipe: str, prepared: list[str], tmp_path: Path) -> None:
    job = cli_train(recipe, ["anything"], tmp_path / "run", "cpu", TINY)
    steps: list[Progress] = []
    while True:
        try:
            steps.append(next(job))
        except StopIteration as end:
            weights = end.value
            break
    assert weights == tmp_path / "run" / "weights.safetensors"
    left = sorted(path.name for path in weights.parent.iterdir())
    assert left == ["checkpoint.safetensors", "events.jsonl", "weights.safetensors"]
    assert [(step.done, step.total) for step in steps[-6:]] == [(number, 6) for number in range(1, 7)]
    log = events(weights.parent)
    assert [event["step"] for event in log] == list(range(6))
    assert all(np.isfinite(list(event.values())).all() for event in log)
    about = load_weights(weights).about
    assert (about["method"], about["trained_on"]) == (recipe, list(NAMES))
    assert isinstance(about["recipe"], dict)
    assert about["recipe"]["steps"] == 6
    # Halves for what is large, singles for the rest, and no pickle anywhere.
    for tensor in load_weights(weights).tensors.values():
        assert tensor.dtype == (torch.float16 if tensor.ndim > 1 else torch.float32)
    for path in weights.parent.iterdir():
        # A safetensors file may begin with any byte; a pickle with its protocol, a torch archive as a zip.
        assert path.read_bytes()[:2] not in (b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK")


VARIANTS: list[tuple[str, Mapping[str, str]]] = [
    ("d5c5", {}),
    ("unet-full", {"precision": "fp32"}),
    ("itfs-drlc", {"weighting": "learned", "norm": "batch_separate"}),
    # In stages: what has not learned yet has no optimiser state to be kept.
    ("linet", {"masks": "batch"}),
]


@pytest.mark.parametrize(("recipe", "overrides"), VARIANTS, ids=[recipe for recipe, _ in VARIANTS])
def test_an_interrupted_run_ends_where_a_whole_one_does(
    recipe: str, overrides: Mapping[str, str], prepared: list[str], tmp_path: Path
) -> None:
    whole = train(recipe, tmp_path / "whole", **overrides).parent
    broken = tmp_path / "broken"
    for _ in range(2):
        job = cli_train(recipe, ["anything"], broken, "cpu", {**TINY, **overrides})
        trained = 0
        for step in job:
            trained += isinstance(step.detail, dict)
            if trained == 2:
                break
        job.close()
        assert not (broken / "weights.safetensors").exists()
    train(recipe, broken, **overrides)
    first, second = (load_file(folder / "checkpoint.safetensors") for folder in (whole, broken))
    assert set(first) == set(second)
    assert any(name.startswith("optimiser/") for name in first)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    first, second = (load_file(folder / "weights.safetensors") for folder in (whole, broken))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    assert [event["step"] for event in events(broken)] == list(range(6))


def test_a_finished_run_is_not_trained_again(prepared: list[str], tmp_path: Path) -> None:
    weights = train("d5c5", tmp_path)
    before = weights.read_bytes()
    assert train("d5c5", tmp_path).read_bytes() == before
    assert len(events(tmp_path)) == 6


def test_another_seed_is_another_run(prepared: list[str], tmp_path: Path) -> None:
    first, second = (load_weights(train("d5c5", tmp_path / seed, seed=seed)).tensors for seed in ("1", "2"))
    assert not all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_a_checkpoint_of_other_options_is_refused(prepared: list[str], tmp_path: Path) -> None:
    train("d5c5", tmp_path)
    message = r"checkpoint\.safetensors belongs to a run with other options; give the same ones, or a new folder"
    for name, value in (("learning_rate", "0.5"), ("steps", "7"), ("preset", "small")):
        with pytest.raises(WeightsError, match=message):
            train("d5c5", tmp_path, **{name: value})


def test_a_damaged_checkpoint_is_told(prepared: list[str], tmp_path: Path) -> None:
    train("d5c5", tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match=r"checkpoint\.safetensors is damaged; remove it to begin again"):
        train("d5c5", tmp_path)
    save_weights(path, Weights({"a": torch.zeros(1)}, {}))
    with pytest.raises(WeightsError, match="belongs to a run with other options"):
        train("d5c5", tmp_path)


def test_a_checkpoint_holds_network_optimiser_and_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    optimiser, fresh = (torch.optim.Adam(each.parameters(), 0.1) for each in (network, other))
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, network, optimiser, 17, "settings")
    assert load_checkpoint(path, other, fresh, "settings") == 17
    assert torch.equal(other.weight, network.weight)
    for state, restored in zip(optimiser.state.values(), fresh.state.values(), strict=True):
        assert all(torch.equal(value, restored[name]) for name, value in state.items())
    with pytest.raises(WeightsError, match="belongs to a run with other options"):
        load_checkpoint(path, other, fresh, "other settings")


def test_who_is_held_out_is_evaluated_and_never_trained_on(prepared: list[str], tmp_path: Path) -> None:
    weights = train("d5c5", tmp_path, hold_out="bert")
    assert prepared == ["anna", "carl"]
    assert load_weights(weights).about["trained_on"] == ["anna", "carl"]
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    assert list(figures) == ["bert"]
    assert sorted(figures["bert"]) == ["d5c5", "zero-filled"]
    for metrics in figures["bert"].values():
        assert np.isfinite(metrics["seconds"])


def test_who_cannot_be_used_is_not_said_to_be_trained_on(
    prepared: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_bert(
        subjects: Sequence[Subject], masks: Path | None, *options: object
    ) -> Generator[Progress, None, SliceStack]:
        yield Progress(1, 1, "left out bert", Skipped("bert", "FLAIR.nii is cut short; copy it again"))
        return (yield from prepare([each for each in subjects if each.name != "bert"], masks, *options))

    prepare = batches.prepare_slices
    monkeypatch.setattr(batches, "prepare_slices", without_bert)
    assert load_weights(train("d5c5", tmp_path)).about["trained_on"] == ["anna", "carl"]


def test_held_out_lesions_are_counted(prepared: list[str], tmp_path: Path) -> None:
    train("unet-full", tmp_path, hold_out="anna")
    figures = json.loads((tmp_path / "evaluation.json").read_text())["anna"]
    segmented, zero_filled = figures["unet-full"]["segmentation"], figures["zero-filled"]["segmentation"]
    assert 0 <= segmented["dice"] <= 1
    assert segmented["lesions_reference"] == 1
    assert set(zero_filled.values()) == {None}


def test_someone_unknown_cannot_be_held_out(prepared: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="subject 'dora' is to be held out but the database has no such subject"):
        train("d5c5", tmp_path / "run", hold_out="dora")
    assert prepared == []


def test_a_run_begins_with_the_weights_it_is_given(prepared: list[str], tmp_path: Path) -> None:
    first = train("d5c5", tmp_path / "first")
    second = train("d5c5", tmp_path / "second", start_from=str(first), learning_rate="1e-12", weight_decay="0")
    tensors = load_weights(first).tensors
    assert all(torch.equal(tensors[name], tensor) for name, tensor in load_weights(second).tensors.items())
    recipe = load_weights(second).about["recipe"]
    # Folders of the machine stay on the machine.
    assert isinstance(recipe, dict)
    assert recipe["start_from"] == "first/weights.safetensors"


def test_a_run_does_not_begin_with_just_any_weights(prepared: list[str], tmp_path: Path) -> None:
    other = train("unet-full", tmp_path / "other")
    with pytest.raises(WeightsError, match=r"weights\.safetensors belongs to another architecture; start from weights"):
        train("d5c5", tmp_path / "run", start_from=str(other))
    with pytest.raises(WeightsError, match=r"the weights lost\.safetensors are not there; train them with"):
        train("d5c5", tmp_path / "run", start_from=str(tmp_path / "lost.safetensors"))


def test_what_has_no_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="method 'zero-filled' has nothing to train; choose one with a recipe"):
        finish(cli_train("zero-filled", ["simulated:1"], tmp_path))


def test_learning_to_segment_needs_labels(prepared: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlabelled(
        subjects: Sequence[Subject], masks: Path | None, *_: object
    ) -> Generator[Progress, None, SliceStack]:
        yield Progress(1, 1)
        images, labels = head(0)
        unknown = np.zeros(4, bool)
        return SliceStack(images.astype(np.float16), 0 * labels, 0 * labels, unknown, unknown, ~unknown)

    monkeypatch.setattr("mrviewer.training.data.batches.prepare_slices", unlabelled)
    with pytest.raises(InputError, match="unet-full learns from labels and the database has none; add subjects with"):
        train("unet-full", tmp_path)


def test_learning_rates_follow_their_schedules() -> None:
    def rates(options: TrainingOptions, n_epochs: float = 30) -> list[float]:
        moments = [Moment(step, step * n_epochs / options.steps, n_epochs) for step in range(options.steps)]
        return [learning_rate(options, moment) for moment in moments]

    cycle = rates(TrainingOptions(steps=100, learning_rate=2.0))
    assert max(cycle) == cycle[5] == pytest.approx(2.0)
    assert cycle[0] == pytest.approx(0.1)
    assert np.all(np.diff(cycle[:6]) > 0)
    assert np.all(np.diff(cycle[5:]) < 0)
    assert cycle[-1] == pytest.approx(0.02, rel=0.05)
    stairs = rates(TrainingOptions(steps=30, learning_rate=1.0, schedule="step", decay=0.2, decay_epochs=10))
    assert stairs == pytest.approx([1.0] * 10 + [0.2] * 10 + [0.04] * 10)
    once = TrainingOptions(steps=30, learning_rate=1.0, schedule="step", decay=0.1, decay_epochs=10, decay_times=1)
    assert rates(once) == pytest.approx([1.0] * 10 + [0.1] * 20)
    assert set(rates(TrainingOptions(steps=9, learning_rate=0.3, schedule="constant"))) == {0.3}
    root = rates(TrainingOptions(steps=100, learning_rate=2.0, schedule="inverse_sqrt"))
    assert root[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert root[39] == pytest.approx(1.0)
    assert root[-1] == pytest.approx(2 / 10**0.5)


def test_a_network_of_planes_or_of_volumes_can_be_placed() -> None:
    flat, deep = torch.nn.Conv2d(2, 3, 3), torch.nn.Conv3d(2, 3, 3)
    before = [each.weight.detach().clone() for each in (flat, deep)]
    placed = place_network(torch.nn.Sequential(flat, deep), "cpu")
    assert flat.weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(each.weight, old) for each, old in zip(placed, before, strict=True))


@dataclass(frozen=True)
class Numbers:
    """A batch of numbers."""

    values: torch.Tensor

    def to(self, device: str) -> "Numbers":
        return Numbers(self.values.to(device))


class NumberSource:
    def __len__(self) -> int:
        return 8

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Numbers:
        values = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        return Numbers(values[piece::pieces])


NUMBER_TRAINING = TrainingOptions(steps=5, batch_size=8, precision="fp32")


@dataclass(frozen=True)
class NumberRecipe:
    """Fits a network with running means and dropout to zero."""

    training: TrainingOptions = NUMBER_TRAINING
    options: TrainingOptions = NUMBER_TRAINING
    needs_labels: bool = False

    def losses(self, network: torch.nn.Module, batch: Numbers, moment: Moment) -> Losses:
        loss = network(batch.values).square().mean()
        return Losses(loss, {"square": float(loss.detach())})


def numbers_fitting(norm: bool = True) -> Fitting:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4) if norm else torch.nn.Tanh(), torch.nn.Linear(4, 2)]
    network = torch.nn.Sequential(*layers, *([torch.nn.Dropout(0.5)] if norm else []))
    return Fitting(open_world("cpu", "fp32"), NumberRecipe(), network, NumberSource())  # type: ignore[arg-type]


def test_what_is_measured_in_between_does_not_change_a_step() -> None:
    first, second = numbers_fitting(), numbers_fitting()
    for _ in range(3):
        first.take_step()
        torch.rand(7)
        second.take_step()
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name


@pytest.mark.parametrize("looks", range(1, 8))
def test_a_step_that_is_broken_off_leaves_everything_as_it_was(looks: int) -> None:
    whole, broken = numbers_fitting(), numbers_fitting()
    for each in (whole, broken):
        each.take_step()
    before = {name: tensor.clone() for name, tensor in broken.network.state_dict().items()}
    left = iter(range(looks))
    with cuttable(broken.network, lambda: next(left, None) is None), pytest.raises(StepCut):
        broken.take_step()
    assert broken.step == 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in broken.network.state_dict().items())
    for each in (whole, broken):
        each.take_step()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, broken.network.state_dict()[name]), name


@pytest.mark.parametrize("pieces", [2, 4, 8])
def test_pieces_of_a_batch_learn_like_the_whole(pieces: int) -> None:
    # Without running means, which see each piece by itself.
    whole, cut = numbers_fitting(norm=False), numbers_fitting(norm=False)
    cut.pieces = pieces
    reports = [(whole.take_step(), cut.take_step()) for _ in range(3)]
    for first, second in reports:
        assert first.loss == pytest.approx(second.loss, rel=1e-5)
    for name, tensor in whole.network.state_dict().items():
        assert torch.allclose(tensor, cut.network.state_dict()[name], rtol=1e-4, atol=1e-6), name


def test_uneven_pieces_are_weighed_by_their_examples() -> None:
    whole, cut = numbers_fitting(norm=False), numbers_fitting(norm=False)
    cut.pieces = 3
    whole.take_step()
    cut.take_step()
    gradients = [[parameter.grad for parameter in each.parameters] for each in (whole, cut)]
    for first, second in zip(*gradients, strict=True):
        assert first is not None
        assert second is not None
        assert torch.allclose(first, second, rtol=1e-4, atol=1e-6)
