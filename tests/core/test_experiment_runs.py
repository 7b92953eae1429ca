"""Runs of experiments: made once, resumed, measured on unseen subjects, several at a time."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from mrviewer import cli
from mrviewer.database import Subject
from mrviewer.errors import FileFormatError, InputError
from mrviewer.experiments.cases import coarse_study, load_case, with_modalities
from mrviewer.experiments.row_runs import Job, reason_to_skip, run_job
from mrviewer.experiments.table_files import read_table
from mrviewer.experiments.table_results import gather
from mrviewer.experiments.tables import Table
from mrviewer.experiments.workers import run_jobs
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.study import Image, Study

TABLE = """
title = "Two rates"
claim = "Slow learning is worse."
source = "a test"
paper_scale = "nothing."
headline = "fast"
metrics = ["psnr", "dice"]
claimed = ["psnr"]

[training]
method = "d5c5"
database = ["{0}/train"]

[training.options]
preset = "tiny"
steps = 3
batch_size = 1
coarsen = 4
crop_rows = 0
precision = "fp32"

[evaluation]
database = ["{0}/test"]
coarsen = 2
every = 2

[[row]]
name = "slow"
options = {{ learning_rate = 0.00001 }}

[[row]]
name = "fast"
options = {{ learning_rate = 0.01 }}
"""


def head(folder: Path, seed: int) -> None:
    """One small subject with a lesion."""
    rng = np.random.default_rng(seed)
    grid = np.indices((48, 56, 6))
    distance = np.sqrt(sum(((axis - size / 2) / size) ** 2 for axis, size in zip(grid, (48, 56, 6), strict=True)))
    labels = np.zeros((48, 56, 6), np.uint8)
    labels[18:26, 20:28, 2:4] = 1
    image = 100 * (distance < 0.5) + 60 * labels + rng.normal(0, 2, labels.shape)
    folder.mkdir(parents=True)
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(np.abs(image).astype(np.float32), affine), folder / "FLAIR.nii.gz")
    nibabel.save(nibabel.Nifti1Image(labels, affine), folder / "lesion_mask.nii.gz")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database")
    for number, place in enumerate(("train/a", "train/b", "test/c", "test/d")):
        head(folder / place, number)
    return folder


@pytest.fixture
def table(database: Path, tmp_path: Path) -> Table:
    path = tmp_path / "two-rates.toml"
    path.write_text(TABLE.format(database))
    return read_table(path)


def study(seed: int = 0, voxel: tuple[float, float, float] = (3.0, 1.0, 1.0)) -> Study:
    rng = np.random.default_rng(seed)
    geometry = Geometry.axial((7, 12, 9), voxel)
    images = {name: Image(rng.random((7, 12, 9)).astype(np.float32), geometry, name) for name in ("FLAIR", "T1")}
    labels = Image((rng.random((7, 12, 9)) < 0.5).astype(np.uint8), geometry, "labels")
    return Study("a study", images, labels, notes=("made up",), diagnosis="cyst")


def test_coarse_voxels_lie_where_their_parts_lie() -> None:
    fine = study()
    coarse = coarse_study(fine, coarsen=3, every=2)
    image, geometry = coarse.images["FLAIR"], coarse.images["FLAIR"].geometry
    assert image.volume().shape == geometry.shape == (3, 4, 3)
    assert geometry.voxel_size_mm == pytest.approx((6, 3, 3))
    parts = np.argwhere(np.ones((1, 3, 3))) + np.asarray((3, 6, 0))
    centre = fine.images["FLAIR"].geometry.to_mm(parts.astype(float)).mean(axis=0)
    assert geometry.to_mm(np.asarray([1.0, 2.0, 0.0])) == pytest.approx(centre)
    block = fine.images["FLAIR"].volume()[3, 6:9, 0:3]
    assert image.volume()[1, 2, 0] == pytest.approx(block.mean())
    assert coarse.labels is not None
    assert fine.labels is not None
    assert coarse.labels.volume()[1, 2, 0] == (fine.labels.volume()[3, 6:9, 0:3].mean() >= 0.5)
    assert coarse.labels.geometry.matches(geometry)


def test_every_slice_and_pixel_is_the_study_itself() -> None:
    same = coarse_study(study(), coarsen=1, every=1)
    assert np.array_equal(same.images["T1"].volume(), study().images["T1"].volume())
    assert same.images["T1"].geometry.matches(study().images["T1"].geometry)


def test_thick_slices_of_another_direction_are_kept_thick() -> None:
    coarse = coarse_study(study(voxel=(1.0, 4.0, 1.0)), coarsen=2, every=3)
    assert coarse.images["FLAIR"].volume().shape == (3, 4, 4)


def test_kept_cases_are_read_again_and_damaged_ones_made_again(tmp_path: Path) -> None:
    made = []
    subject = Subject("simulated-5", lambda: made.append(1) or study(), seed=5)  # type: ignore[func-returns-value]
    first = load_case(subject, tmp_path, coarsen=2, every=2)
    again = load_case(subject, tmp_path, coarsen=2, every=2)
    assert len(made) == 1
    assert (again.name, again.notes, again.diagnosis) == (first.name, first.notes, first.diagnosis)
    for name, image in first.images.items():
        assert np.array_equal(again.images[name].volume(), image.volume())
        assert again.images[name].geometry.matches(image.geometry)
    assert again.labels is not None
    assert first.labels is not None
    assert np.array_equal(again.labels.volume(), first.labels.volume())
    [path] = tmp_path.iterdir()
    path.write_bytes(b"no archive")
    load_case(subject, tmp_path, coarsen=2, every=2)
    assert len(made) == 2


def test_a_study_without_some_images() -> None:
    assert list(with_modalities(study(), ("T1", "T2")).images) == ["T1"]
    assert list(with_modalities(study(), ()).images) == ["FLAIR", "T1"]


def test_a_run_keeps_figures_of_every_unseen_subject(table: Table, tmp_path: Path, database: Path) -> None:
    job = Job(table.name, table.row("fast"), 1, tmp_path, (str(database / "test"),))
    record = json.loads(finish(run_job(job)).read_text())
    assert set(record["figures"][""]) == {"c", "d"} == set(record["real"])
    assert record["figures"][""] == record["real"]
    assert record["figures"][""]["c"]["psnr"] > 0
    assert record["figures"][""]["c"]["dice"] is None, "d5c5 does not segment"
    assert record["parameters"] > 100
    assert record["training_seconds"] >= 0
    assert sorted(path.name for path in job.run_folder.iterdir()) == ["events.jsonl", "weights.safetensors"]
    figures = gather(table, [job])
    assert figures["fast"].values["psnr"].shape == (1, 2)
    assert np.isnan(figures["fast"].values["dice"]).all()
    assert figures["fast"].real_subjects == ("c", "d")


def test_a_chain_is_two_trained_parts(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "chained.toml"
    row = """
[[row]]
name = "apart"
method = "d5c5+unet-full"
parts = [
    {{ method = "d5c5", options = {{ learning_rate = 0.01 }} }},
    {{ method = "unet-full", options = {{ crop = 0 }} }},
]
"""
    path.write_text((TABLE + row).format(database.as_posix()), encoding="utf-8")
    chained = read_table(path)
    apart = chained.row("apart")
    assert reason_to_skip(apart) == ""
    assert chained.with_options({"steps": "2"}).row("apart").parts[1].options["steps"] == "2"
    alone = Job("chained", chained.row("fast"), 1, tmp_path)
    finish(run_job(alone))
    job = Job("chained", apart, 1, tmp_path)
    record = json.loads(finish(run_job(job)).read_text(encoding="utf-8"))
    assert not (job.run_folder / "0").exists(), "the first part is the row `fast`"
    assert (job.run_folder / "1" / "weights.safetensors").is_file()
    figures = record["figures"][""]
    assert set(figures) == {"c", "d"}
    first = json.loads(alone.result.read_text(encoding="utf-8"))
    for subject in figures:
        assert figures[subject]["psnr"] == pytest.approx(first["figures"][""][subject]["psnr"], rel=1e-4)
        assert figures[subject]["dice"] is not None
    assert record["parameters"] > first["parameters"]
    other = replace(apart, parts=(apart.parts[0], replace(apart.parts[1], options={"preset": "small"})))
    assert replace(job, row=other).result != job.result


@pytest.mark.parametrize(
    ("method", "parts", "words"),
    [
        ("unet-full+d5c5", ("d5c5", "unet-full"), "has parts that make d5c5.unet-full, and its method is"),
        ("d5c5", ("d5c5",), "value of the wrong kind"),
    ],
)
def test_parts_that_make_no_chain_are_refused(
    method: str, parts: tuple[str, ...], words: str, tmp_path: Path, database: Path
) -> None:
    path = tmp_path / "wrong.toml"
    listed = ", ".join(f'{{{{ method = "{part}" }}}}' for part in parts)
    row = f'[[row]]\nname = "apart"\nmethod = "{method}"\nparts = [{listed}]\n'
    path.write_text((TABLE + row).format(database.as_posix()), encoding="utf-8")
    with pytest.raises(FileFormatError, match=words):
        read_table(path)


def test_real_subjects_that_do_not_fit_are_left_out(table: Table, tmp_path: Path, database: Path) -> None:
    other = tmp_path / "real" / "e"
    other.mkdir(parents=True)
    (other / "T2.nii.gz").write_bytes((database / "test" / "c" / "FLAIR.nii.gz").read_bytes())
    row = table.row("fast")
    row = replace(row, conditions=(replace(row.conditions[0], modality="FLAIR"),))
    job = Job(table.name, row, 1, tmp_path, (str(tmp_path / "real"), str(database / "test")))
    assert set(json.loads(finish(run_job(job)).read_text())["real"]) == {"c", "d"}


def test_what_is_done_is_not_done_again(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [Job(table.name, row, 1, tmp_path) for row in table.rows]
    twice = [*jobs, replace(jobs[0], table="another table")]
    assert finish(run_jobs(twice, workers=0)) == {}
    assert jobs[0].result == twice[-1].result, "the same settings are the same run"
    monkeypatch.setattr("mrviewer.experiments.workers.run_job", lambda job: pytest.fail("it was run again"))
    assert finish(run_jobs(twice, workers=0)) == {}


def test_settings_are_told_apart(table: Table, tmp_path: Path) -> None:
    job = Job(table.name, table.row("fast"), 1, tmp_path)
    changed = table.with_options({"steps": "4"}).row("fast")
    others = [replace(job, seed=2), replace(job, row=changed), replace(job, data=("somewhere",))]
    others += [replace(job, row=replace(job.row, conditions=(replace(job.row.conditions[0], acceleration=8.0),)))]
    assert len({one.result for one in (job, *others)}) == 5


def test_a_stopped_run_goes_on_and_ends_alike(table: Table, tmp_path: Path) -> None:
    row = table.row("fast")
    whole = finish(run_job(Job(table.name, row, 1, tmp_path / "whole")))
    job = Job(table.name, row, 1, tmp_path / "stopped")
    steps = run_job(job)
    while "reconstruction" not in next(steps).message:
        pass
    steps.close()
    assert not job.result.exists()
    assert (job.run_folder / "checkpoint.safetensors").is_file()
    resumed = json.loads(finish(run_job(job)).read_text())
    assert resumed["figures"] == json.loads(whole.read_text())["figures"]


def test_no_subject_is_trained_on_and_measured(table: Table, tmp_path: Path) -> None:
    row = table.row("fast")
    leaking = replace(row, database=row.conditions[0].database)
    with pytest.raises(InputError, match="which it is trained on"):
        finish(run_job(Job(table.name, leaking, 1, tmp_path)))


def test_time_that_is_over_leaves_a_problem(table: Table, tmp_path: Path) -> None:
    job = Job(table.name, table.row("fast"), 1, tmp_path)
    assert "goes on" in finish(run_jobs([job], workers=0, seconds=0))[job.result]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "no-such"}, "no-such"),
        ({"method": "zero-filled"}, "nothing to train"),
        ({"options": {"colour": "blue"}}, "no option 'colour'"),
    ],
)
def test_what_cannot_be_trained_says_why(table: Table, change: dict[str, object], words: str) -> None:
    assert reason_to_skip(table.row("fast")) == ""
    assert words in reason_to_skip(replace(table.row("fast"), **change))  # type: ignore[arg-type]


@pytest.mark.slow
def test_processes_bring_figures_and_reasons(table: Table, tmp_path: Path) -> None:
    good = Job(table.name, table.row("fast"), 1, tmp_path)
    row = table.row("slow")
    bad = Job(table.name, replace(row, database=row.conditions[0].database), 1, tmp_path)
    problems = finish(run_jobs([bad, good], workers=2))
    assert "trained on" in problems[bad.result]
    assert good.result.is_file()
    assert good.result not in problems


@pytest.mark.slow
def test_closing_ends_the_processes(table: Table, tmp_path: Path) -> None:
    row = replace(table.row("fast"), options={**table.row("fast").options, "steps": "100000"})
    job = Job(table.name, row, 1, tmp_path)
    steps = run_jobs([job], workers=1)
    while not job.run_folder.is_dir():
        next(steps)
    steps.close()
    assert not job.result.exists()


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., object]:
    def run(*arguments: str) -> object:
        assert cli.main(arguments) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_command_runs_a_table_and_fills_a_page(table: Table, tmp_path: Path, printed: Callable[..., object]) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- reproduce: two-rates -->\n<!-- end of two-rates -->\n")
    file, output = str(tmp_path / "two-rates.toml"), tmp_path / "out"
    told = printed(
        "reproduce", file, "--output", str(output), "--seeds", "2", "--workers", "0", "--page", str(page), "--json"
    )
    assert told["problems"] == {}  # type: ignore[index]
    assert "Seeds 1, 2." in page.read_text()
    assert (output / "tables.md").read_text() == told["sections"]["two-rates"]  # type: ignore[index]
    skipped = printed("reproduce", file, "--output", str(output), "--set", "colour=blue", "--workers", "0", "--json")
    assert set(skipped["problems"]) == {"two-rates/slow", "two-rates/fast"}  # type: ignore[index]


def test_command_lists_and_refuses(
    table: Table, tmp_path: Path, printed: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "two-rates.toml")
    listed = printed("reproduce", file, "--list", "--json")
    assert [record["row"] for record in listed] == ["slow", "fast"]  # type: ignore[attr-defined]
    assert cli.main(["reproduce", file]) == 2
    assert cli.main(["reproduce", "nothing", "--output", str(tmp_path / "out")]) == 1
    assert cli.main(["reproduce", file, "--output", file]) == 1
    assert cli.main(["reproduce", file, "--output", str(tmp_path / "o"), "--page", str(tmp_path / "none.md")]) == 1
    assert not (tmp_path / "o").exists()
    assert "Traceback" not in capsys.readouterr().err
