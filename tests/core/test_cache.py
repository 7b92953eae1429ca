"""The cache names nobody, keeps nothing for ever, and can be emptied; messages name a file and not its folder."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mrviewer import cli
from mrviewer.database import Subject
from mrviewer.files import cache
from mrviewer.files.cache import cache_facts, cache_folder, clear_cache, prepared_path, prune_prepared
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.study import Image, Study
from mrviewer.system.reasons import reason_of
from mrviewer.training.data.prepared_subjects import keep_prepared, prepare_each

NAME = "Smith_Anna_1970"
DAY = 86_400.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return tmp_path / "cache" / "mrviewer" / "training"


def subject(name: str = NAME) -> Subject:
    geometry = Geometry.axial((2, 4, 4), (1.0, 1.0, 1.0))
    study = Study(name, {"FLAIR": Image(np.ones((2, 4, 4), np.float32), geometry, "FLAIR")})
    return Subject(name, lambda: study)


def kept(number: int = 0, *, days: float = 0.0, n_bytes: int = 100) -> Path:
    path = prepared_path(f"{number:032x}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def forget_users() -> None:
    for path in (cache_folder() / "in-use").iterdir():
        path.unlink()


def test_prepared_data_name_nobody(folder: Path) -> None:
    path = keep_prepared(subject(), ["kind"], lambda: {"a": np.zeros(3)})
    assert keep_prepared(subject(), ["kind"], lambda: pytest.fail("it is there")) == path
    assert keep_prepared(subject("other"), ["kind"], lambda: {"a": np.zeros(3)}) != path
    for file in folder.parent.rglob("*"):
        assert NAME not in file.name
        assert not file.is_file() or NAME.encode() not in file.read_bytes()


def test_what_is_old_or_of_an_older_version_goes(folder: Path) -> None:
    old, young = kept(1, days=31), kept(2, days=29)
    (folder / f"{NAME}-0123456789abcdef.safetensors").write_bytes(b"x")
    forget_users()
    finish(prepare_each([subject()], lambda each: each.name))
    assert [path for path in folder.iterdir() if path.is_file()] == [young]
    assert not old.exists()


def test_what_is_too_much_goes_the_longest_unused_first(folder: Path) -> None:
    files = [kept(number, days=number) for number in range(4)]
    forget_users()
    assert prune_prepared(most_bytes=250) == 2
    assert [path.exists() for path in files] == [True, True, False, False]


@pytest.mark.parametrize("days", [-40.0, 40.0])
def test_a_clock_that_is_set_takes_nothing_from_a_training(days: float, folder: Path) -> None:
    used = kept(1, days=days)
    assert prune_prepared(most_bytes=0) == 0
    assert clear_cache() == 0
    assert used.exists()


def test_what_another_process_uses_stays_until_that_has_ended(tmp_path: Path) -> None:
    path = kept(5)
    forget_users()
    code = (
        "import platformdirs, sys\n"
        f"platformdirs.user_cache_dir = lambda name: {str(tmp_path / 'cache')!r} + '/' + name\n"
        "from mrviewer.files.cache import prepared_path\n"
        "prepared_path(f'{5:032x}'); print('ready', flush=True); input()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert clear_cache() == 0
        assert cache_facts().n_in_use == 1
        process.communicate("\n")
    assert clear_cache() == 1
    assert not path.exists()


def test_the_command_tells_and_clears(capsys: pytest.CaptureFixture[str]) -> None:
    kept(1, n_bytes=2000)
    (cache_folder() / "sample-1-0.npz").write_bytes(b"x" * 48)
    forget_users()
    assert cli.main(["cache", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["bytes"], told["in_use"], told["removed"]) == (2, 2048, 0, 0)
    assert (told["most_days"], told["most_bytes"]) == (cache.MOST_DAYS, cache.MOST_BYTES)
    assert cli.main(["cache", "--clear"]) == 0
    assert "removed 2 file(s)" in capsys.readouterr().err
    assert cache_facts().n_files == 0
    assert cli.main(["cache"]) == 0


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", f"/data/{NAME}/x.nii"), "Permission denied: x.nii"),
        (ValueError(f"cannot open '/data/{NAME}/x.nii' (damaged)"), "cannot open 'x.nii' (damaged)"),
        (ValueError(f"C:\\data\\{NAME}\\x.nii is damaged."), "x.nii is damaged"),
        (ValueError("3 mm/s and/or a/b"), "3 mm/s and/or a/b"),
        (KeyError(), "KeyError"),
    ],
)
def test_a_reason_names_no_folder(error: Exception, told: str) -> None:
    assert reason_of(error) == told


MISSING = [
    ["reconstruct", "sample", "--mask", "file:{}/mask.npy", "--method", "zero-filled", "--output", "{}/out"],
    ["reconstruct", "{}/image.nii.gz", "--mask", "random", "--method", "zero-filled", "--output", "{}/out"],
    ["info", "{}/image.nii"],
    ["info", "{}"],
    ["info", "{}/broken.nii"],
    ["info", "{}/broken.h5"],
    ["info", "{}/broken.npy"],
    ["info", "{}/broken.mat"],
    ["assess", "--segmentation", "{}/a.nii", "--reference", "{}/b.nii"],
    ["database", "{}/no"],
    ["database", "{}/dataset.json"],
    ["database", "{}/table.csv"],
    ["finetune", "--method", "d5c5", "--database", "{}/no", "--output", "{}/run"],
    ["finetune", "--plan", "{}/plan.json"],
    ["finetune", "--method", "d5c5", "--database", "{}", "--output", "{}/run", "--mapping", "{}/broken.json"],
    ["runs", "stop", "{}/run"],
    ["train", "d5c5", "--database", "{}/no", "--output", "{}/run"],
    ["models", "import", "{}/broken.safetensors"],
    ["export-bids", "{}/no", "--output", "{}/bids", "--subject", "a"],
    ["{}/image.nii"],
]


@pytest.mark.parametrize("arguments", MISSING, ids=lambda arguments: " ".join(arguments[:2]))
def test_what_is_missing_or_broken_is_named_without_its_folder(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / NAME / "visit"
    place.mkdir(parents=True)
    for name in (
        "broken.nii",
        "broken.h5",
        "broken.npy",
        "broken.mat",
        "broken.json",
        "broken.safetensors",
        "table.csv",
    ):
        (place / name).write_bytes(b"\x93NUMPY nothing of use" * 40)
    assert cli.main([one.replace("{}", str(place)) for one in arguments]) != 0
    said = capsys.readouterr()
    assert said.err.strip()
    assert NAME not in said.out + said.err
