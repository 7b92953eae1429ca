"""Numbers as files: exact names, nothing invented, whole or not at all."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.metrics.lesions import LesionTable, lesion_table
from mrviewer.writers.tables import write_lesions, write_metrics, write_quantities

GRID = Geometry.axial((4, 5, 6), (3.0, 2.0, 1.0))


@pytest.fixture
def table() -> LesionTable:
    """A found, a missed and a false lesion."""
    reference, prediction = np.zeros((2, 4, 5, 6), bool)
    reference[0, 0, 0:4] = prediction[0, 0, 1:4] = True
    reference[3, 4, 5] = True
    prediction[3, 0, 0] = True
    return lesion_table(reference, prediction, GRID)


def test_lesions_have_the_promised_columns_and_values(tmp_path: Path, table: LesionTable) -> None:
    write_lesions(tmp_path / "lesions.csv", table)
    text = (tmp_path / "lesions.csv").read_text()
    assert text.splitlines()[0].startswith(
        "lesion,status,volume_ml,dice,precision,recall,centroid_x_mm,centroid_y_mm,centroid_z_mm,error_percent"
    )
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["status"] for row in rows] == ["found", "missed", "false"]
    assert [row["lesion"] for row in rows] == ["1", "2", "3"]
    assert [row["precision"] for row in rows] == ["1.0", "", "0.0"]
    assert [row["recall"] for row in rows] == ["0.75", "0.0", ""]
    assert float(rows[0]["volume_ml"]) == pytest.approx(4 * 6e-3)
    assert float(rows[0]["dice"]) == pytest.approx(6 / 7)
    for row, lesion in zip(rows, table.rows, strict=True):
        written = tuple(float(row[f"centroid_{axis}_mm"]) for axis in "xyz")
        assert written == lesion.centroid_mm
    assert float(rows[1]["centroid_x_mm"]) == pytest.approx(
        -2.5
    )  # the last column is the patient's left: RAS is negative
    assert float(rows[1]["centroid_z_mm"]) == pytest.approx(-4.5)  # the last slice is the lowest


def test_an_empty_table_is_a_header(tmp_path: Path) -> None:
    nothing = np.zeros((4, 5, 6))
    write_lesions(tmp_path / "lesions.csv", lesion_table(nothing, nothing, GRID))
    assert len((tmp_path / "lesions.csv").read_text().splitlines()) == 1


def test_metrics_come_back_as_they_were(tmp_path: Path) -> None:
    metrics = {"method": "zero-filled", "image": {"psnr": 31.25, "ssim": None}, "conventions": ["L = 1 – really"]}
    write_metrics(tmp_path / "metrics.json", metrics)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")) == metrics


@pytest.mark.parametrize("bad", [np.nan, np.inf, np.float32(1), object()])
def test_what_json_does_not_know_is_refused_and_the_old_file_stays(tmp_path: Path, bad: object) -> None:
    path = tmp_path / "metrics.json"
    write_metrics(path, {"old": True})
    with pytest.raises(InputError, match=r"metrics\.json cannot be written .* give finite numbers"):
        write_metrics(path, {"image": {"psnr": bad}})
    assert json.loads(path.read_text()) == {"old": True}
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_an_interrupted_table_leaves_the_old_file(tmp_path: Path, table: LesionTable) -> None:
    path = tmp_path / "lesions.csv"
    path.write_text("old\n")
    broken = replace(table, rows=(*table.rows, None))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        write_lesions(path, broken)
    assert path.read_text() == "old\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_numbers_are_written_with_their_units(tmp_path: Path) -> None:
    metrics = {"method": "d5c5", "image": {"psnr": 31.25, "ssim": None}, "seconds": 2.0, "notes": ["Quixote.nii"]}
    write_quantities(tmp_path / "metrics.csv", metrics)
    rows = list(csv.reader((tmp_path / "metrics.csv").read_text(encoding="utf-8").splitlines()))
    assert rows == [
        ["quantity", "value", "unit"],
        ["method", "d5c5", ""],
        ["image psnr", "31.25", "dB"],
        ["image ssim", "", ""],
        ["seconds", "2.0", "s"],
    ]
