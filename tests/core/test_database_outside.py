"""Files that a database names outside of its folder are listed before they are used."""

import json
from pathlib import Path

import pytest
from database_files import save_image, save_labels
from typer.testing import CliRunner

from mrviewer.cli import app
from mrviewer.database.layouts.find import find_subjects


def said(path: Path) -> list[str]:
    """What is said of files outside, of the whole database first."""
    return [odd.message for odd in find_subjects(path).oddities if odd.kind == "outside-path"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database of two subjects, and an image of somebody else beside it."""
    for name in ("one", "two"):
        save_image(tmp_path / "data" / f"{name}_T1.nii.gz")
        save_labels(tmp_path / "data" / f"{name}_seg.nii.gz")
    save_image(tmp_path / "private.nii.gz", 7)
    return tmp_path / "data"


def test_a_table_that_leads_outside_says_so(folder: Path) -> None:
    table = folder / "table.csv"
    rows = ["subject,T1,label", "one,one_T1.nii.gz,one_seg.nii.gz"]
    table.write_text("\n".join([*rows, "two,two_T1.nii.gz,two_seg.nii.gz"]))
    assert said(table) == []
    for outside in ("../private.nii.gz", str(folder.parent / "private.nii.gz")):
        table.write_text("\n".join([*rows, f"two,{outside},two_seg.nii.gz"]))
        whole, subject = said(table)
        assert "table.csv would be read: private.nii.gz" in whole
        assert "of two" in subject
        assert str(folder.parent) not in whole + subject


def test_a_description_that_leads_outside_says_so(folder: Path) -> None:
    cases = [{"image": f"./{name}_T1.nii.gz", "label": f"./{name}_seg.nii.gz"} for name in ("one", "two")]
    description = {"modality": {"0": "T1"}, "labels": {"0": "background", "1": "lesion"}, "training": cases}
    (folder / "dataset.json").write_text(json.dumps(description))
    assert said(folder) == []
    cases[1]["label"] = "../private.nii.gz"
    (folder / "dataset.json").write_text(json.dumps(description))
    assert "private.nii.gz" in said(folder)[0]


def test_a_link_that_leads_outside_says_so(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        for kind in ("T1", "seg"):
            (folder / f"{name}_{kind}.nii.gz").rename(folder / name / f"{kind}.nii.gz")
    assert said(folder) == []
    (folder / "two" / "T1.nii.gz").unlink()
    try:
        (folder / "two" / "T1.nii.gz").symlink_to(folder.parent / "private.nii.gz")
    except OSError:
        pytest.skip("links need a right that this user does not have")
    assert "T1.nii.gz" in said(folder)[0]


def test_the_command_lists_them(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("subject,T1,label\none,one_T1.nii.gz,one_seg.nii.gz\ntwo,../private.nii.gz,two_seg.nii.gz")
    shown = CliRunner().invoke(app, ["database", str(table)], env={"COLUMNS": "200"})
    assert "outside-path" in shown.output
    assert "private.nii.gz" in shown.output
