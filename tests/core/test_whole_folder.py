"""A folder of results that is written into an existing one: old or new, also for who is killed in between."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mrviewer.errors import InputError
from mrviewer.files import replacing, whole_folder
from mrviewer.files.exchange import exchange
from mrviewer.files.whole_folder import require_writable
from mrviewer.files.whole_folder import whole_folder as write_folder

NAMES = ("a.txt", "b.txt", "c.txt", "metrics.json")
OLD, NEW = {"a.txt", "b.txt", "metrics.json"}, {"a.txt", "c.txt", "metrics.json"}

KILLED = """
import os, sys
from pathlib import Path
from mrviewer.files import replacing
from mrviewer.files.whole_folder import whole_folder

place, n_moves, swaps = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "swaps"
if not swaps:
    replacing.exchange = lambda *_: False
left = [n_moves]
def counted(function):
    def call(*values, **options):
        if not left[0]:
            os.kill(os.getpid(), 9)
        left[0] -= 1
        return function(*values, **options)
    return call
with whole_folder(place, ("a.txt", "b.txt", "c.txt", "metrics.json")) as partial:
    for name in ("a.txt", "c.txt", "metrics.json"):
        (partial / name).write_text("new")
    for owner, names in (
        (os, "link unlink replace rename chown rmdir"), (Path, "replace unlink"), (replacing, "exchange")
    ):
        for name in names.split():
            setattr(owner, name, counted(getattr(owner, name)))
"""


def make_old(folder: Path) -> Path:
    folder.mkdir()
    for name in OLD:
        (folder / name).write_text("old")
    (folder / "notes of mine.txt").write_text("mine")
    return folder


def write_new(folder: Path) -> None:
    with write_folder(folder, NAMES) as partial:
        for name in NEW:
            (partial / name).write_text("new")


def results(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.name in NAMES}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["swaps", "moves"])
def test_who_is_killed_leaves_old_or_new_and_never_both(way: str, tmp_path: Path) -> None:
    is_atomic = way == "swaps" and can_exchange(tmp_path)
    seen = []
    for n_moves in range(40):
        folder = make_old(tmp_path / f"out{n_moves}")
        done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(n_moves), way], check=False)
        found = results(folder)
        assert len(set(found.values())) <= 1, n_moves
        whole = found in (dict.fromkeys(OLD, "old"), dict.fromkeys(NEW, "new"))
        assert whole or not is_atomic, (n_moves, found)
        assert whole or "metrics.json" not in found
        assert (folder / "notes of mine.txt").read_text() == "mine"
        seen.append("new" in found.values())
        if done.returncode == 0:
            break
    assert done.returncode == 0
    assert seen[0] is False
    assert found == dict.fromkeys(NEW, "new")
    # The next one that writes there clears up.
    with write_folder(tmp_path / "out0", NAMES):
        pass
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out0.")]


def can_exchange(folder: Path) -> bool:
    for name in ("x", "y"):
        (folder / name).mkdir()
    return exchange(folder / "x", folder / "y")


@pytest.mark.parametrize("can_swap", [True, False])
def test_what_fails_in_between_is_put_back(can_swap: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_old(tmp_path / "out")
    (folder / "more").mkdir()
    if not can_swap:
        monkeypatch.setattr(replacing, "exchange", lambda *_: False)
    moves: list[Path] = []
    replace = Path.replace

    def broken(self: Path, target: Path) -> Path:
        moves.append(self)
        if len(moves) == 5:
            raise PermissionError(13, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(InputError, match="the files in out cannot be replaced"):
        write_new(folder)
    assert results(folder) == dict.fromkeys(OLD, "old")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_other_files_and_rights_stay(tmp_path: Path) -> None:
    folder = make_old(tmp_path / "out")
    folder.chmod(0o750)
    (folder / "link").symlink_to("nowhere")
    for others in (("f",), ("f", "deep/g")):
        for name in others:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("mine")
        write_new(folder)
        assert results(folder) == dict.fromkeys(NEW, "new")
        assert all((folder / name).read_text() == "mine" for name in (*others, "notes of mine.txt"))
        assert folder.stat().st_mode & 0o777 == 0o750
        assert os.path.lexists(folder / "link")


def test_the_folder_in_which_one_stands_stays_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_old(tmp_path / "out")
    monkeypatch.chdir(folder)
    with write_folder(Path(), NAMES) as partial:
        (partial / "a.txt").write_text("new")
    assert results(Path.cwd()) == {"a.txt": "new"}


def test_what_is_written_in_the_last_moment_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_old(tmp_path / "out")

    def late(first: Path, second: Path) -> bool:
        (second / "late.txt").write_text("late")
        return exchange(first, second)

    monkeypatch.setattr(replacing, "exchange", late)
    with write_folder(folder, NAMES) as partial:
        (partial / "a.txt").write_text("new")
    assert (folder / "late.txt").read_text() == "late"


def test_what_was_refused_leaves_no_folder_above(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []

    def fail() -> None:
        with write_folder(tmp_path / "a" / "b" / "c", NAMES):
            raise InputError("refused")

    with pytest.raises(InputError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_on_its_way_of_a_living_process_stays(tmp_path: Path) -> None:
    with write_folder(tmp_path / "out", NAMES) as partial:
        require_writable(tmp_path / "out")
        assert partial.is_dir()
    assert whole_folder.MOST_NUMBERED
