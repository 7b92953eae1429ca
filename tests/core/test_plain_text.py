"""Text of files as it is shown: no markup, no command of a terminal, no formula of a spreadsheet."""

import io
import json
import logging
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from mrviewer import cli
from mrviewer.commands import terminal
from mrviewer.commands.terminal import plain_logging, print_json, print_table, refuse, say, watch
from mrviewer.errors import InputError
from mrviewer.files.json_text import json_text
from mrviewer.finetuning.run_folder.events import EventLog, write_curves
from mrviewer.geometry import Geometry
from mrviewer.plain_text import CellWriter, csv_cell, plain
from mrviewer.progress import Progress, Skipped
from mrviewer.writers.nifti import write_volume
from mrviewer.writers.tables import write_quantities

HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202egnp.exe [bold red]x[/] :warning: <b>\r\x08"


def is_harmless(text: str) -> bool:
    return not any(sign in text for sign in "\x1b\x07\x9b\x08\r\u202e")


@pytest.mark.parametrize("text", ["FLAIR", "Ärzte – 肝臓", "नमस्ते", "👨‍👩‍👧", "a b", "[bold]", "<b>&amp;", ""])
def test_what_is_harmless_stays(text: str) -> None:
    assert plain(text) == text


def test_what_commands_a_terminal_goes() -> None:
    assert is_harmless(plain(HOSTILE))
    assert plain("a\nb\tc") == "a\ufffdb\ufffdc"
    assert plain("a\nb\tc\rd", lines=True) == "a\nb\tc\ufffdd"
    assert plain("\udcff\u2028\u2066\ufeff") == "\ufffd" * 4


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "  =1", "＝1", "=HYPERLINK(1)"]
)
def test_a_formula_becomes_text(text: str) -> None:
    assert str(csv_cell(text)).startswith("'")


@pytest.mark.parametrize(
    "value", ["-12.5", "+3", "-1e-5", "-inf", "", "n/a", "FLAIR", "a=b", 3, -0.5, None, np.float32(-2)]
)
def test_numbers_stay_numbers(value: object) -> None:
    assert csv_cell(value) is value or csv_cell(value) == value


def test_tables_hold_no_formulas(tmp_path: Path) -> None:
    write_quantities(tmp_path / "a.csv", {"method": "=1+1", "mask": {"@name": "-2+3", "seed": -1}, "seconds": -0.5})
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == [
        "method,'=1+1,", "mask @name,'-2+3,", "mask seed,-1,", "seconds,-0.5,s",
    ]  # fmt: skip
    with EventLog(tmp_path) as log:
        log.write("step", step=1, **{"=loss": -0.5})
    write_curves(tmp_path, tmp_path / "curves.csv")
    header, row = (tmp_path / "curves.csv").read_text().splitlines()
    assert header.endswith("'=loss")
    assert row.endswith("-0.5")
    stream = io.StringIO()
    CellWriter(stream, delimiter="\t").row(["@x", "-1"])
    assert stream.getvalue() == "'@x\t-1\n"


def test_the_terminal_gets_no_commands_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    refuse(InputError(HOSTILE))
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    print_table(table, to_stdout=True)
    print_table(table, to_stdout=False)

    def job() -> Generator[Progress, None, None]:
        yield Progress(1, 2, HOSTILE, Skipped(HOSTILE, HOSTILE))

    watch(job(), HOSTILE)
    said = capsys.readouterr()
    for text in said:
        assert is_harmless(text)
        assert "[bold red]x[/] :warning: <b>" in text


def test_the_bar_takes_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()
    console = terminal.Console(file=seen, markup=False, highlight=False, emoji=False, force_terminal=True, width=200)
    monkeypatch.setattr(terminal, "_console", lambda **_: console)

    def job() -> Generator[Progress, None, None]:
        for step in range(3):
            yield Progress(step, 3, "[/] [red]subject[/red]")

    watch(job(), "method")
    assert "[red]subject[/red]" in seen.getvalue()


def test_json_has_escapes_for_what_commands(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({HOSTILE: [HOSTILE]})
    said = capsys.readouterr().out
    assert is_harmless(said)
    assert json.loads(said) == {HOSTILE: [HOSTILE]}
    assert json_text("Ä肝") == '"Ä肝"'


def test_what_libraries_log_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    plain_logging()
    assert logging.lastResort is not None
    logging.lastResort.emit(logging.makeLogRecord({"msg": HOSTILE, "levelno": logging.WARNING}))
    assert is_harmless(seen.getvalue())
    assert seen.getvalue().endswith("\n")


def test_a_hostile_name_of_a_file_reaches_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "\x1b[31m<b>"
    folder.mkdir()
    path = folder / "FLAIR\x1b[2J[red]&.nii.gz"
    write_volume(path, np.ones((4, 16, 16), np.float32), Geometry.axial((4, 16, 16), (3.0, 1.0, 1.0)))
    for arguments in (["info", str(path)], ["info", str(path), "--json"], ["info", str(folder / "no\x9bfile.nii")]):
        cli.main(arguments)
        said = capsys.readouterr()
        assert is_harmless(said.out + said.err)


@pytest.mark.parametrize("typed", ["--\u202egnp\x1b[2J", "--" + "b" * 5000, "\x1b]0;name\x07"])
def test_wrong_usage_repeats_what_was_typed_in_plain_and_short_words(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["reconstruct", typed, "--nonsense"]) == 2
    assert cli.main([typed]) == 2
    said = capsys.readouterr().err
    assert len(said) < 1200
    assert said == plain(said, lines=True)
