"""One net under everything: one sentence, exit status 1, nothing half written, and a log without names."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from mrviewer import cli
from mrviewer.commands import terminal
from mrviewer.errors import InputError, UnforeseenError, WriteError
from mrviewer.files.json_text import json_text, parse_json, read_json_object
from mrviewer.files.new_file import new_file
from mrviewer.files.whole_file import whole_file
from mrviewer.files.whole_folder import new_folder, whole_folder
from mrviewer.system import fault_log
from mrviewer.system.faults import explained

PATIENT = "Mueller_Hans"
FULL = Path("/dev/full")


class SecretError(Exception):
    pass


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), f"/data/{PATIENT}/scan.nii")


ERRORS = [
    (_os_error(errno.ENOSPC), "the disk is full"),
    (_os_error(errno.EDQUOT), "the disk is full"),
    (_os_error(errno.EACCES), "scan.nii may not be read or written"),
    (_os_error(errno.EROFS), "scan.nii may not be read or written"),
    (_os_error(errno.ENAMETOOLONG), "is too long for this system"),
    (_os_error(errno.ENOENT), "scan.nii is not there"),
    (_os_error(errno.EIO), "the system refused scan.nii"),
    (_os_error(errno.EMFILE), "too many files are open"),
    (MemoryError(), "not enough memory"),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: tried 9 bytes"), "not enough memory"),
    (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
    (UnicodeEncodeError("utf-8", f"{PATIENT}\udce9", 12, 13, "surrogates not allowed"), "are not text"),
    (SecretError(f"/data/{PATIENT}/scan.nii\nis broken"), r"does not know \(SecretError\)"),
    (KeyError(PATIENT), r"does not know \(KeyError\)"),
]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "mrviewer" / "mrviewer.log"


@pytest.mark.parametrize(("error", "words"), ERRORS, ids=lambda value: type(value).__name__)
def test_every_error_is_one_sentence_without_a_folder(
    error: Exception, words: str, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    assert cli.main(["masks"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert PATIENT not in err
    with pytest.raises(UnforeseenError, match=words):
        raise explained(error, "masks")
    entry = state.read_text(encoding="utf-8")
    assert PATIENT not in entry
    assert "/data" not in entry
    assert type(error).__qualname__ in entry
    assert "mrviewer/cli.py:" in entry
    assert "masks: mrviewer" in entry


def test_the_log_names_causes_frames_and_no_value(state: Path) -> None:
    def deep(name: str, left: int = 200) -> None:
        if left:
            deep(name, left - 1)
        try:
            json.loads(f"{{{name}")
        except ValueError as error:
            raise KeyError(f"/home/{name}") from error

    try:
        deep(PATIENT)
    except KeyError as error:
        fault_log.keep_fault(error, "view")
    entry = state.read_text(encoding="utf-8")
    assert PATIENT not in entry
    assert str(Path.home()) not in entry
    assert "KeyError\n" in entry
    assert "from JSONDecodeError\n" in entry
    assert "json/decoder.py:" in entry
    assert "test_faults.py:" in entry
    assert len(entry.splitlines()) < 100


def test_the_log_stays_small_and_never_fails(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_log, "_MOST_BYTES", 2000)
    for _ in range(50):
        fault_log.keep_fault(SecretError("a"), "view")
    assert len(list(state.parent.iterdir())) == 3
    assert sum(path.stat().st_size for path in state.parent.iterdir()) < 10_000
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    fault_log.keep_fault(SecretError("a"), "view")


def test_what_was_raised_on_purpose_is_not_logged(state: Path) -> None:
    error = InputError("nothing was given; give a file")
    assert explained(error, "view") is error
    assert not state.exists()


# Writing -------------------------------------------------------------------------------------------------------------


Writer = Callable[[Path], AbstractContextManager[Path]]


def fill(writer: Writer, path: Path, error: OSError | None = None) -> None:
    with writer(path) as file:
        file.write_text("whole")
        if error is not None:
            raise error


@pytest.mark.parametrize("writer", [whole_file, new_file])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, writer: Writer, number: int) -> None:
    with pytest.raises(WriteError, match=r"^table\.csv cannot be written") as caught:
        fill(writer, tmp_path / "table.csv", OSError(number, os.strerror(number)))
    assert (caught.value.errno, caught.value.strerror) == (number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [whole_file, new_file])
def test_a_long_name_is_written_and_one_that_is_too_long_refused(tmp_path: Path, writer: Writer) -> None:
    fill(writer, tmp_path / f"{'x' * 251}.nii")
    assert (tmp_path / f"{'x' * 251}.nii").read_text() == "whole"
    with pytest.raises(WriteError, match="its name is too long; choose a shorter one") as caught:
        fill(writer, tmp_path / f"{'x' * 300}.nii")
    assert len(str(caught.value)) < 200
    assert len(list(tmp_path.iterdir())) == 1


def test_folders_of_results_are_named_too(tmp_path: Path) -> None:
    def results(path: Path, error: OSError | None = None) -> None:
        with whole_folder(path, ["a"]) as part:
            (part / "a").write_text("half")
            if error is not None:
                error.filename = str(part / "a")
                raise error

    def folder(error: OSError) -> None:
        with new_folder(tmp_path, "out"):
            raise error

    with pytest.raises(WriteError, match="out cannot be written, the disk is full"):
        results(tmp_path / "out", OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(WriteError, match="its name is too long"):
        results(tmp_path / ("x" * 300))
    with pytest.raises(WriteError, match="out cannot be written"):
        folder(OSError(errno.EROFS, "Read-only file system"))
    assert list(tmp_path.iterdir()) == []


def test_errors_of_other_files_are_not_taken_for_those_of_writing(tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        fill(whole_file, tmp_path / "a", PermissionError(errno.EACCES, "Permission denied", "/elsewhere/b"))


# The program ---------------------------------------------------------------------------------------------------------


def program(
    *arguments: str, stdout: int = subprocess.PIPE, limit: int | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "mrviewer", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, **variables}, preexec_fn=set_limit,
    )  # fmt: skip


def said_once(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("arguments", [("masks", "--json"), ("methods",)])
def test_full_standard_output(arguments: tuple[str, ...]) -> None:
    with FULL.open("w", encoding="utf-8") as full:
        assert "the disk is full" in said_once(program(*arguments, stdout=full.fileno()))


def test_a_reader_that_went_away_is_no_error() -> None:
    pipe = subprocess.Popen(
        [sys.executable, "-m", "mrviewer", "methods", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert pipe.stdout is not None
    assert pipe.stderr is not None
    pipe.stdout.close()
    assert pipe.stderr.read() == b""
    pipe.stderr.close()
    assert pipe.wait() in (0, 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with labels and a run over it, made once."""
    import nibabel

    folder = tmp_path_factory.mktemp("full")
    volume = np.zeros((24, 20, 6), np.int16)
    volume[4:20, 4:16] = np.random.default_rng(0).integers(50, 90, (16, 12, 6))
    labels = np.zeros(volume.shape, np.uint8)
    labels[8:11, 7:10, 2:4] = 1
    for name, array in (("FLAIR", volume), ("label", labels)):
        nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 2.0, 1.0])), folder / f"{name}.nii")
    given = ("reconstruct", str(folder / "FLAIR.nii"), "--mask", "random", "--method", "zero-filled")
    done = program(*given, "--reference-labels", str(folder / "label.nii"), "--output", str(folder / "run"))
    assert done.returncode == 0, done.stderr
    return folder


WRITERS = {
    "reconstruct": (
        "reconstruct",
        "{0}/FLAIR.nii",
        "--mask",
        "random",
        "--method",
        "zero-filled",
        "--output",
        "{1}/out",
    ),
    "export-bids": ("export-bids", "--results", "{0}/run", "--output", "{1}/bids"),
    "database": ("database", "{0}", "--mapping", "{1}/mapping.json"),
    "export-figure": ("export-figure", "--image", "{0}/FLAIR.nii", "--output", "{1}/figure.png"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", WRITERS)
def test_files_that_may_not_grow(command: str, results: Path, tmp_path: Path) -> None:
    """A full disk as the system tells of it, without one: no file may have more than a few bytes."""
    arguments = [part.format(results, tmp_path) for part in WRITERS[command]]
    done = program(*arguments, limit=16, XDG_STATE_HOME=str(tmp_path / "state"))
    assert "large" in said_once(done)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "state" not in path.parts]
    assert left == []


INTERRUPTING = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from mrviewer.__main__ import main
sys.argv = ["mrviewer", "masks"]
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["mrviewer.cli", "mrviewer.sampling.registry"])
def test_an_interruption_while_the_program_loads(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTING.format(name=module)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


# JSON ----------------------------------------------------------------------------------------------------------------


def test_names_that_are_not_text_are_printed_and_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"M\xfcller.nii")
    terminal.print_json({"file": name, "place": "München"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"file": name, "place": "München"}
    assert "München" in json_text({"place": "München"})
    assert "\\u00fc" in json_text({"place": "München"}, encoding="ascii")
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": ' + "9" * 5000 + "}", "a number in it is too large"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("[1]", "holds no JSON object"),
        ("\xff", "cannot be read"),
    ],
)
def test_json_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"card\.json .*{words}.*; write it again$") as caught:
        read_json_object(path, "write it again")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        read_json_object(tmp_path / "gone.json", "write it again")


def test_numbers_of_json_stay_as_they_are() -> None:
    assert parse_json('{"a": [1, 2.5, null, true, "x"]}') == {"a": [1, 2.5, None, True, "x"]}
