"""The contract of the command line: what is printed where, and how it ends."""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mrviewer import cli
from mrviewer.commands import viewer
from mrviewer.errors import InputError
from mrviewer.methods.registry import get_method, method_names
from mrviewer.progress import Progress, Skipped

KEYS = {"name", "tasks", "needs", "weights", "trained_on", "citation", "licence"}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    """What a command that succeeds prints as JSON; nothing else may stand on standard output."""
    assert cli.main(arguments) == 0
    return json.loads(capsys.readouterr().out)


def sentence(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error of a command that is refused."""
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def test_a_named_method_tells_its_whole_card(capsys: pytest.CaptureFixture[str]) -> None:
    [record] = printed(capsys, "methods", "seranet", "--json")
    assert set(record) > KEYS
    card = get_method("seranet").card
    assert record["limits"] == list(card.limits)
    assert [case["subject"] for case in record["held_out"]] == [case.subject for case in card.held_out]
    assert cli.main(["methods", "seranet"]) == 0
    told = capsys.readouterr().out
    assert all(limit.split()[0] in told for limit in card.limits)
    assert "no method 'nope'" in sentence(capsys, "methods", "nope")


def test_methods_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    records = printed(capsys, "methods", "--json")
    assert {"zero-filled", "cs-wavelet"} <= {record["name"] for record in records} <= set(method_names())
    for record in records:
        assert set(record) == KEYS
        assert set(record["needs"]) == {
            "kspace",
            "modalities",
            "max_coils",
            "whole_volume",
            "optional",
            "required",
            "voxel_size",
        }
    assert {record["name"]: record["weights"] for record in records}["zero-filled"] is None


def test_masks_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    described = {record["name"]: record["description"] for record in printed(capsys, "masks", "--json")}
    names = set(described)
    assert {"random", "equispaced", "gaussian-1d", "gaussian-2d", "poisson", "radial", "spiral", "full"} <= names
    assert "file:PATH" in names
    for name in ("learned", "learned-2d"):
        assert re.search(r"for acceleration \d|None of the installed methods", described[name])


def test_info_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    record = printed(capsys, "info", "--json")
    assert record["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert record["devices"][0]["name"] == "cpu"
    assert record["memory"]["total_bytes"] is None or record["memory"]["total_bytes"] > 2**20
    assert set(record["storage"]) == {"cache", "settings", "data", "log"}


@pytest.mark.parametrize("command", ["methods", "masks", "info"])
def test_lists_for_people_are_never_cut(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command]) == 0
    shown = capsys.readouterr().out
    assert shown
    assert "…" not in shown


def test_listing_is_light() -> None:
    script = "import sys; from mrviewer.cli import main; main(['methods', '--json']); print(sorted(sys.modules))"
    listed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    for heavy in ("'torch'", "'napari'", "'monai'", "'skimage'", "'scipy.stats'"):
        assert heavy not in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ["recnstruct"],
        ["reconstruct", "a.nii"],
        ["reconstruct", "a.nii", "--mask", "random", "--method", "zero-filled", "--output", "o", "--seed", "x"],
        ["masks", "--yaml"],
        ["assess"],
        ["assess", "--segmentation", "a.nii"],
        ["assess", "--image", "a.nii"],
        ["assess", "--segmentation", "a.nii", "--reference", "b.nii", "--min-lesion-ml", "-1"],
        ["train", "d5c5", "--database", "d", "--output", "o", "--set", "steps"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.nii.gz"], "there is no file or folder nothing.nii.gz"),
        (["FLAIR=nothing.nii.gz"], "there is no file or folder nothing.nii.gz"),
        (["kspace=nothing.npy:coil,y,x"], "there is no file or folder nothing.npy;"),
        (["assess", "--segmentation", "no.nii", "--reference", "no.nii"], "no.nii"),
        (["demo", "--screenshot", "nowhere/shot.png"], "folder nowhere does not exist"),
    ],
)
def test_refused_input_ends_with_1(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in sentence(capsys, *arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"--method": "nothing"}, "there is no method 'nothing'"),
        ({"--method": "zero-filled+cs-wavelet"}, "must end with a method that works on images"),
        ({"--device": "abacus"}, "device 'abacus' is not known"),
        ({"IMAGE": "nothing.nii.gz"}, "nothing.nii.gz"),
        ({"IMAGE": "sample", "--reference-labels": "labels.nii"}, "sample study brings its own"),
    ],
)
def test_refused_reconstruction(
    options: dict[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--mask": "random", "--method": "zero-filled", "--output": str(tmp_path / "out"), **options}
    image = given.pop("IMAGE", "nothing.nii.gz")
    assert message in sentence(capsys, "reconstruct", image, *(part for pair in given.items() for part in pair))
    assert list(tmp_path.iterdir()) == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mrviewer ")


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ([], ["view"]),
        (["scan.nii.gz"], ["view", "scan.nii.gz"]),
        (["folder/of/scans"], ["view", "folder/of/scans"]),
        (["FLAIR=a", "T1=b"], ["view", "FLAIR=a", "T1=b"]),
        (["sample:3"], ["view", "sample:3"]),
        (["masks", "--json"], ["masks", "--json"]),
        (["--help"], ["--help"]),
        (["recnstruct"], ["recnstruct"]),
    ],
)
def test_paths_open_the_viewer(given: list[str], understood: list[str]) -> None:
    assert cli.with_default_command(given) == understood


def test_a_folder_without_dots_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "patient").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.with_default_command(["patient"]) == ["view", "patient"]


class Viewer:
    """Stands for the front end; `record` is what its entry point names."""

    calls: list[object]


def record(paths: Sequence[str], *, demo: bool = False, screenshot: Path | None = None) -> int:
    Viewer.calls.append((list(paths), demo, screenshot))
    return 5 if demo else 0


def install_viewer(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    Viewer.calls = []
    points = [EntryPoint("app", value, viewer.VIEWER_GROUP) for value in values]
    monkeypatch.setattr(viewer, "entry_points", lambda group: points)


def test_the_viewer_is_handed_what_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_viewer(monkeypatch, f"{__name__}:record")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[record.__module__])
    scan, shot = tmp_path / "scan.nii", tmp_path / "shot.png"
    scan.touch()
    assert cli.main([str(scan), f"T1={scan}"]) == 0
    assert cli.main([]) == 0
    assert cli.main(["demo", "--screenshot", str(shot)]) == 5
    assert Viewer.calls == [([str(scan), f"T1={scan}"], False, None), ([], False, None), ([], True, shot)]


@pytest.mark.parametrize("values", [[], ["there_is_no_such_module:main"]])
def test_without_the_viewer_one_sentence_says_how_to_get_it(
    values: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install_viewer(monkeypatch, *values)
    assert 'pip install "mrviewer[gui]"' in sentence(capsys, "demo")


def train_with(monkeypatch: pytest.MonkeyPatch, job: Generator[Progress, None, Path]) -> list[object]:
    import mrviewer.training

    seen: list[object] = []

    def fake(*arguments: object) -> Generator[Progress, None, Path]:
        seen.extend(arguments)
        return job

    monkeypatch.setattr(mrviewer.training, "cli_train", fake)
    return seen


def endless(closed: list[bool], error: BaseException | None = None) -> Generator[Progress, None, Path]:
    try:
        for step in range(10_000_000):
            yield Progress(step, 10_000_000)
            if error is not None:
                raise error
    finally:
        closed.append(True)
    return Path("weights")


def test_training_is_handed_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> Generator[Progress, None, Path]:
        yield Progress(1, 1)
        return tmp_path / "weights.safetensors"

    seen = train_with(monkeypatch, job())
    run = str(tmp_path / "run")
    options = ["--database", "a", "--database", "b", "--set", "steps=5", "--set", "hold_out=x=y", "--device", "cpu"]
    answer = printed(capsys, "train", "d5c5", *options, "--output", run, "--json")
    assert seen == ["d5c5", ["a", "b"], Path(run), "cpu", {"steps": "5", "hold_out": "x=y"}]
    assert answer == {"method": "d5c5", "weights": str(tmp_path / "weights.safetensors"), "finished": True}


def test_training_says_whom_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> Generator[Progress, None, Path]:
        yield Progress(1, 2, "left out anna", Skipped("anna", "FLAIR.nii is cut short; copy it again"))
        yield Progress(2, 2, "prepared bert")
        return tmp_path / "weights.safetensors"

    train_with(monkeypatch, job())
    assert cli.main(["train", "d5c5", "--database", "a", "--output", str(tmp_path / "run")]) == 0
    assert "left out anna: FLAIR.nii is cut short; copy it again\n" in capsys.readouterr().err


def test_training_stops_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[bool] = []
    train_with(monkeypatch, endless(closed))
    options = ["--database", "a", "--output", str(tmp_path / "run"), "--minutes", "0.0005", "--json"]
    assert printed(capsys, "train", "d5c5", *options)["finished"] is False
    assert closed == [True]


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (InputError("no subject was found"), 1)])
def test_an_interrupted_job_is_closed(
    error: BaseException, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    train_with(monkeypatch, endless(closed, error))
    assert cli.main(["train", "d5c5", "--database", "a", "--output", str(tmp_path / "run")]) == code
    assert closed == [True]


@pytest.mark.parametrize(
    ("existing", "extra", "message"),
    [
        ("checkpoint.safetensors", [], "add --resume to go on"),
        ("weights.safetensors", [], "add --resume to go on"),
        ("notes.txt", ["--resume"], "holds no run that could go on"),
    ],
)
def test_runs_are_neither_lost_nor_continued_by_accident(
    existing: str, extra: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).touch()
    assert message in sentence(capsys, "train", "d5c5", "--database", "a", "--output", str(tmp_path), *extra)
    assert [path.name for path in tmp_path.iterdir()] == [existing]
