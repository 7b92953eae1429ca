"""The method `multiunet`: any set of modalities, whole studies, chains, and that it learns."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mrviewer.database import Subject
from mrviewer.errors import DoesNotFitError, InputError, UnknownNameError, WeightsError
from mrviewer.geometry import Geometry
from mrviewer.method import Measurement, Method
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.progress import Progress, finish
from mrviewer.reconstruction.reconstruct import Reconstruction, reconstruct
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Study
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training import cli_train
from mrviewer.training.recipe import Moment
from mrviewer_models.multiunet import METHOD, inference
from mrviewer_models.multiunet.batches import VolumeBatch
from mrviewer_models.multiunet.network import MultiUNet
from mrviewer_models.multiunet.progressive import ProgressiveUNet
from mrviewer_models.multiunet.recipe import recipe
from mrviewer_models.multiunet.shape import PRESETS, MultiUNetShape

MODALITIES = ("FLAIR", "T1", "T1Gd", "T2")
MOMENT = Moment(0, 0, 1)
TINY = {"preset": "tiny", "steps": "4", "batch_size": "1"}


def weights_of(path: Path, shape: MultiUNetShape = PRESETS["tiny"]) -> Path:
    torch.manual_seed(0)
    save_weights(path, Weights(MultiUNet(shape).state_dict(), {"recipe": {"shape": asdict(shape)}}))
    return path


@pytest.fixture(scope="module")
def method(tmp_path_factory: pytest.TempPathFactory) -> Method:
    """The method in its tiny size with random weights."""
    return METHOD.with_weights(weights_of(tmp_path_factory.mktemp("weights") / "tiny.safetensors"))


def ball(shape: Sequence[int], middle: tuple[float, float, float], radius: float) -> NDArray[np.bool_]:
    axes = np.meshgrid(*[np.linspace(-1, 1, size) for size in shape], indexing="ij")
    return np.asarray(sum((axis - at) ** 2 for axis, at in zip(axes, middle, strict=True)) < radius**2)


def study(
    modalities: Sequence[str] = MODALITIES,
    shape: tuple[int, int, int] = (30, 40, 36),
    voxel: tuple[float, float, float] = (4.0, 4.0, 4.0),
) -> Study:
    """A ball with a lesion that is bright in FLAIR and T2 and dark in T1."""
    rng = np.random.default_rng(0)
    brain, lesion = ball(shape, (0, 0, 0), 0.85), ball(shape, (0.1, -0.2, 0.3), 0.3)
    geometry = Geometry.axial(shape, voxel)
    shift = {"FLAIR": 90.0, "T1": -60.0, "T1Gd": -50.0, "T2": 80.0}
    images = {
        name: Image(
            (brain * (100 + 10 * rng.standard_normal(shape)) + lesion * shift[name]).astype(np.float32), geometry, name
        )
        for name in modalities
    }
    return Study("ball", images, Image(lesion.astype(np.uint8), geometry, "labels"))


def run(method: Method, given: Study, modality: str | None = None) -> Reconstruction:
    chosen = given.choose_modality(modality)
    depth, *plane = given.geometry(chosen).shape
    axis = given.geometry(chosen).slice_axis
    sizes = [size for at, size in enumerate((depth, *plane)) if at != axis]
    return finish(
        reconstruct(given, method, make_mask("random", (sizes[0], sizes[1]), 2.0), modality=chosen, device="cpu")
    )


def test_the_contract_is_kept(method: Method) -> None:
    check_method(method)


SUBSETS = [names for number in (1, 2, 3, 4) for names in combinations(MODALITIES, number)]


@pytest.mark.parametrize("names", SUBSETS, ids=["+".join(names) for names in SUBSETS])
def test_every_set_of_modalities_runs_and_is_told(names: tuple[str, ...], method: Method) -> None:
    result = run(method, study(names, (12, 14, 10)))
    assert sorted(result.modalities_used) == sorted(names)
    assert result.segmentation is not None
    assert result.segmentation.shape == (12, 14, 10)
    assert result.probabilities is not None
    assert np.isfinite(result.probabilities).all()


def test_a_study_of_none_of_them_is_refused(method: Method) -> None:
    image = study(("T1",)).images["T1"]
    strange = Study("strange", {"DWI": replace(image, modality="DWI")})
    with pytest.raises(
        DoesNotFitError, match="multiunet was trained on FLAIR or T1 or T1Gd or T2 and this image is DWI"
    ):
        run(method, strange)


def test_an_image_on_another_grid_is_not_looked_at(method: Method) -> None:
    given, other = study(("FLAIR",)), study(("T2",), (20, 20, 20), (6.0, 6.0, 6.0))
    both = Study("both", {**given.images, **other.images})
    assert run(method, both).modalities_used == ("FLAIR",)


def test_flat_images_show_nothing(method: Method) -> None:
    geometry = Geometry.axial((8, 12, 10), (4.0, 4.0, 4.0))
    for value in (0.0, 7.0):
        flat = Study("flat", {"T1": Image(np.full((8, 12, 10), value, np.float32), geometry, "T1")})
        result = run(method, flat)
        assert result.probabilities is not None
        assert not result.probabilities.any()
        assert result.segmentation is not None
        assert not result.segmentation.any()


def test_it_does_not_matter_which_image_is_called_the_measured_one(method: Method) -> None:
    given = study()
    first, second = run(method, given, "FLAIR"), run(method, given, "T2")
    assert np.array_equal(first.probabilities, second.probabilities)  # type: ignore[arg-type]


def test_slices_of_any_direction_are_turned_upright(method: Method) -> None:
    seen = sample_measurement(method, (12, 20, 16))
    upright = finish(method.run(replace(seen, voxel_size_mm=(3.0, 4.0, 5.0)))).probabilities
    # The same volume cut into sagittal slices: (x, z, y).
    turned: Measurement = replace(
        seen,
        kspace=np.zeros((16, 1, 12, 20), np.complex64),
        coil_maps=np.ones((16, 1, 12, 20), np.complex64),
        images={name: np.ascontiguousarray(np.moveaxis(stack, 2, 0)) for name, stack in seen.images.items()},
        voxel_size_mm=(5.0, 3.0, 4.0),
        slice_axis=2,
    )
    sagittal = finish(method.run(turned)).probabilities
    assert upright is not None
    assert sagittal is not None
    assert np.allclose(np.moveaxis(sagittal[0], 0, 2), upright[0], atol=1e-6)


def test_thick_slices_and_large_matrices_are_no_trouble(method: Method) -> None:
    given = study(("FLAIR",), (29, 256, 256), (5.0, 0.9, 0.9))
    result = run(method, given)
    assert result.segmentation is not None
    assert result.segmentation.shape == (29, 256, 256)


def test_a_run_is_stopped_between_windows(method: Method) -> None:
    measurement = sample_measurement(method, (40, 60, 60))
    job = method.run(replace(measurement, voxel_size_mm=(4.0, 4.0, 4.0)))
    steps = [next(job) for _ in range(3)]
    assert [step.message for step in steps[1:]] == ["window 1 of 8", "window 2 of 8"]
    job.close()
    assert next(job, None) is None


@pytest.mark.parametrize("first", ["zero-filled", "cs-wavelet", "d5c5"])
def test_a_chain_segments_the_reconstruction_and_the_further_images(
    first: str, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, NDArray[np.generic]]] = []
    channels_of = inference.channels_of

    def watch(images: dict[str, NDArray[np.generic]], grid: object, shape: object) -> object:
        seen.append(images)
        return channels_of(images, grid, shape)  # type: ignore[arg-type]

    monkeypatch.setattr(inference, "channels_of", watch)
    given = study(("FLAIR", "T2"), (3, 32, 32))
    result = run(Chain(get_method(first), method), given, "FLAIR")
    assert result.modalities_used == ("FLAIR", "T2")
    assert result.image is not None
    assert result.segmentation is not None
    (images,) = seen
    clean = given.images["FLAIR"].volume()
    assert np.abs(np.asarray(images["FLAIR"]) - clean).max() > 1
    assert np.allclose(images["FLAIR"], result.image, atol=1e-3)
    assert np.array_equal(images["T2"], given.images["T2"].volume())


def lesion_batch() -> VolumeBatch:
    """A lesion that is bright in one channel and dark in another, twice: torch is slow with one volume at a time."""
    shape = (32, 32, 32)
    lesion = ball(shape, (0.1, -0.2, 0.3), 0.35)
    noise = np.random.default_rng(0).standard_normal((2, *shape))
    volume = (noise + 2 * np.stack([lesion, -1.0 * lesion])).astype(np.float32)
    label = lesion.astype(np.float32)[None]
    return VolumeBatch(
        torch.from_numpy(np.stack([volume, volume])),
        torch.from_numpy(np.stack([label, label])),
        torch.ones(2, 2, dtype=torch.bool),
    )


@pytest.mark.parametrize("kind", ["multi", "lf", "maf"])
def test_a_tiny_network_learns_one_case(kind: str) -> None:
    plan = recipe({"preset": "tiny", "kind": kind, "modalities": "FLAIR,T1", "free_channels": "0"})
    torch.manual_seed(0)
    network, batch = plan.network(), lesion_batch()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(16):
        optimiser.zero_grad()
        losses = plan.losses(network, batch, MOMENT)
        losses.total.backward()
        optimiser.step()
    assert losses.parts["dice"] < 0.35


def test_losses_are_the_paper_s_where_it_says() -> None:
    class Fixed(torch.nn.Module):
        def forward(self, volume: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(volume), 1, *volume.shape[2:])

    batch = lesion_batch()
    size, ill = batch.label.numel(), float(batch.label.sum())
    # Probability one half everywhere.
    dice = 1 - (ill + 1e-5) / (size / 2 + ill + 1e-5)
    paper = recipe({"preset": "paper"})
    losses = paper.losses(Fixed(), batch, MOMENT)
    assert losses.parts == {"dice": pytest.approx(dice, rel=1e-5)}
    both = recipe({"preset": "tiny"}).losses(Fixed(), batch, MOMENT)
    assert both.parts == {"dice": pytest.approx(dice, rel=1e-5), "bce": pytest.approx(np.log(2), rel=1e-5)}
    assert float(both.total) == pytest.approx(sum(both.parts.values()))


def test_the_paper_preset_is_the_paper_s() -> None:
    plan = recipe({"preset": "paper"})
    assert (plan.training.learning_rate, plan.training.crop, plan.training.batch_size) == (1e-3, 128, 2)
    assert (plan.training.schedule, plan.training.decay_epochs, plan.training.decay_times) == ("step", 150, 1)
    # 600 epochs of its largest database, 459 cases of which each step draws two.
    assert plan.training.steps == 600 * -(-459 // 2)
    assert (plan.options.loss_seg, plan.options.rotate_share, plan.options.flip_share) == ("dice", 0.1, 0.0)
    assert plan.options.shape == PRESETS["paper"]
    assert plan.training.lesion_share == 0


def test_options_decide_channels_and_voxels() -> None:
    shape = recipe({"preset": "tiny", "modalities": "T1, SWI", "free_channels": "1", "voxel_mm": "3"}).options.shape
    assert (shape.channels, shape.voxel_mm) == (("T1", "SWI", ""), 3.0)
    with pytest.raises(UnknownNameError, match="the recipe of multiunet has no option 'schedules'"):
        recipe({"schedules": "both"})
    with pytest.raises(InputError, match="option preset is 'huge'; choose one of paper, small, tiny"):
        recipe({"preset": "huge"})
    with pytest.raises(InputError, match="give every modality one channel"):
        recipe({"modalities": "T1,T1"})


@pytest.fixture
def subjects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Subject]:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    made = [
        Subject("anna", lambda: study(("FLAIR", "T1")), database="one"),
        Subject("bert", lambda: study(("T2",)), database="two"),
        Subject("carl", lambda: study(("FLAIR", "T2")), database="two"),
    ]
    monkeypatch.setattr("mrviewer.training.loop.open_database", lambda _: made)
    return made


def test_a_run_trains_on_all_databases_and_is_measured(subjects: list[Subject], tmp_path: Path) -> None:
    job = cli_train("multiunet", ["anything"], tmp_path / "run", "cpu", {**TINY, "hold_out": "carl"})
    steps: list[Progress] = list(job)
    assert [step.message for step in steps[:2]] == ["prepared anna", "prepared bert"]
    about = load_weights(tmp_path / "run" / "weights.safetensors").about
    assert about["trained_on"] == ["anna", "bert"]
    assert isinstance(about["recipe"], dict)
    assert about["recipe"]["shape"]["channels"] == ["FLAIR", "T1", "T1Gd", "T2", "", ""]
    assert '"dice"' in (tmp_path / "run" / "evaluation.json").read_text()


def test_an_interrupted_run_ends_where_a_whole_one_does(subjects: list[Subject], tmp_path: Path) -> None:
    whole = load_weights(finish(cli_train("multiunet", ["anything"], tmp_path / "whole", "cpu", TINY))).tensors
    job = cli_train("multiunet", ["anything"], tmp_path / "broken", "cpu", TINY)
    while not isinstance(next(job).detail, dict):
        pass
    job.close()
    broken = load_weights(finish(cli_train("multiunet", ["anything"], tmp_path / "broken", "cpu", TINY))).tensors
    assert all(torch.equal(tensor, broken[name]) for name, tensor in whole.items())


def test_a_run_goes_on_with_further_modalities_and_columns(subjects: list[Subject], tmp_path: Path) -> None:
    start = weights_of(tmp_path / "start.safetensors", replace(PRESETS["tiny"], channels=("FLAIR", "T2")))
    more = {**TINY, "start_from": str(start), "extend_modalities": "T1", "column": "progressive"}
    plan = recipe(more)
    assert plan.options.shape.channels == ("FLAIR", "T2", "T1")
    finish(cli_train("multiunet", ["anything"], tmp_path / "run", "cpu", more))
    trained = load_weights(tmp_path / "run" / "weights.safetensors")
    assert isinstance(trained.about["recipe"], dict)
    assert trained.about["recipe"]["adapt_from"] == f"{tmp_path.name}/start.safetensors"
    network = plan.network()
    assert isinstance(network, MultiUNet)
    assert isinstance(network.body, ProgressiveUNet)
    # The first column is as it was.
    before = load_weights(start).tensors
    for name, tensor in trained.tensors.items():
        if name.startswith("body.pretrained.") and "units.0.first.0.weight" not in name:
            assert torch.equal(tensor, before[name.replace("pretrained.", "")].to(tensor.dtype)), name
    result = run(METHOD.with_weights(tmp_path / "run" / "weights.safetensors"), study(("FLAIR", "T1"), (8, 12, 10)))
    assert result.modalities_used == ("FLAIR", "T1")


def test_no_run_starts_from_just_any_weights(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_weights(other, Weights({"a": torch.zeros(1)}, {"recipe": {"shape": asdict(PRESETS["tiny"])}}))
    with pytest.raises(WeightsError, match="a has no place in this network"):
        recipe({**TINY, "start_from": str(other)}).network()
    with pytest.raises(WeightsError, match=r"the weights lost\.safetensors are not there"):
        recipe({**TINY, "start_from": str(tmp_path / "lost.safetensors")})
