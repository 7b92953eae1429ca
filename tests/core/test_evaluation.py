"""One condition, one mask; one list of figures; one way to measure."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mrviewer.commands.reconstruct import ReconstructRequest, reconstruct_to_folder
from mrviewer.database import Subject
from mrviewer.errors import MaskError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.measuring import mean_figures, mean_groups, measure_study
from mrviewer.evaluation.paired import paired_difference
from mrviewer.experiments.tables import Condition
from mrviewer.geometry import Geometry
from mrviewer.methods.registry import get_method
from mrviewer.metrics.metric_list import METRICS, METRICS_BY_KEY, by_group, flat
from mrviewer.progress import finish
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Study
from mrviewer.training.evaluate import evaluate_subjects
from mrviewer.writers import write_volume

SHAPE = (3, 40, 36)
RNG = np.random.default_rng(3)


def study() -> Study:
    _, y, x = np.indices(SHAPE)
    head = np.where(((y - 20) / 16) ** 2 + ((x - 18) / 12) ** 2 < 1, 0.5, 0.0)
    image = (head + 0.1 * RNG.random(SHAPE) * (head > 0)).astype(np.float32)
    geometry = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))
    return Study("anna", {"FLAIR": Image(image, geometry, "FLAIR")})


@pytest.mark.parametrize("acceleration", [4.0, 8.0])
@pytest.mark.parametrize("family", ["random", "equispaced", "poisson"])
def test_a_condition_of_a_table_is_that_of_the_command_line(family: str, acceleration: float) -> None:
    row = Condition(mask=family, acceleration=acceleration, center_fraction=0.08)
    assert row.sampling(7).mask((256, 256)) == make_mask(family, (256, 256), acceleration, 0.08, 0)
    drawn_by_seed = Condition(mask=family, acceleration=acceleration, seed_of_run=True)
    assert drawn_by_seed.sampling(7).mask((256, 256)) == make_mask(family, (256, 256), acceleration, 0.08, 7)


def test_a_centre_that_is_too_large_is_refused_and_never_made_smaller() -> None:
    with pytest.raises(MaskError, match="lower the centre fraction"):
        SamplingCondition("random", 8.0, 0.2).mask((64, 64))


def test_training_commands_and_measuring_give_the_same_figures(tmp_path: Path) -> None:
    scan = study()
    method = get_method("zero-filled")
    measured = finish(measure_study(method, scan, SamplingCondition(), device="cpu"))
    trained = finish(evaluate_subjects(method, [Subject("anna", lambda: scan)], "cpu"))["anna"]["zero-filled"]
    write_volume(tmp_path / "FLAIR.nii.gz", scan.images["FLAIR"].volume(), scan.geometry("FLAIR"))
    request = ReconstructRequest(
        (str(tmp_path / "FLAIR.nii.gz"),), SamplingCondition(), "zero-filled", None, None, 0.0, "cpu", tmp_path / "out"
    )
    written = finish(reconstruct_to_folder(request))
    assert flat(trained) == flat(measured.to_json())  # type: ignore[arg-type]
    for key, value in flat(written).items():
        assert value == (None if measured.figures[key] is None else pytest.approx(measured.figures[key], rel=1e-5))


def test_every_figure_that_is_measured_is_in_the_list_once() -> None:
    measured = finish(measure_study(get_method("zero-filled"), study(), SamplingCondition(), device="cpu"))
    assert len(METRICS_BY_KEY) == len(METRICS)
    assert list(measured.figures) == [metric.key for metric in METRICS if metric.group != "findings"]
    for group, part in measured.groups.items():
        assert list(part) == [metric.name for metric in by_group(group)]


def test_figures_say_their_unit_once_and_nothing_where_they_are_unknown() -> None:
    assert METRICS_BY_KEY["psnr_in_object"].sentence(30.0) == "PSNR in the object 30.00 dB"
    assert METRICS_BY_KEY["lesions_found"].sentence(3) == "lesions found 3"
    assert METRICS_BY_KEY["hd95_mm"].heading == "HD95 (mm)"
    assert METRICS_BY_KEY["lesions_found"].heading == "Lesions found"
    assert METRICS_BY_KEY["dice"].sentence(None) == ""
    assert METRICS_BY_KEY["dice"].text(None) == "–"


def test_means_are_over_what_is_known() -> None:
    assert mean_figures([{"dice": 0.5, "ssim": None}, {"dice": None, "ssim": None}, {"dice": 0.7}]) == {
        "dice": pytest.approx(0.6),
        "ssim": None,
    }
    means = mean_groups([{"image": {"psnr": 30.0}}, {"image": {"psnr": 32.0}, "segmentation": {"dice": 1.0}}])
    assert means == {"image": {"psnr": 31.0}, "image_in_object": {}, "segmentation": {"dice": 1.0}}


def test_the_test_of_pairs_is_over_subjects() -> None:
    first, second = RNG.normal(0.6, 0.1, (3, 12)), RNG.normal(0.5, 0.1, (3, 12))
    paired = paired_difference(first, second)
    assert paired is not None
    differences = (first - second).mean(axis=0)
    assert paired.p == pytest.approx(stats.wilcoxon(differences, zero_method="zsplit").pvalue)
    assert (paired.n_subjects, paired.n_higher + paired.n_lower) == (12, 12)
    assert paired.tested in (0, int(np.sign(differences.mean())))
    few = paired_difference(first[:, :5], second[:, :5])
    assert few is not None
    assert (few.p, few.tested) == (None, 0)
