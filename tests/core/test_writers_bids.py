"""Results under BIDS names: complete, described, found again as labels of their subject."""

import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from mrviewer import cli
from mrviewer.database.layouts.bids import find_in_bids
from mrviewer.errors import FileFormatError, InputError
from mrviewer.geometry import Geometry
from mrviewer.metrics.lesions import LESION_COLUMNS, lesion_table
from mrviewer.writers import write_volume
from mrviewer.writers.bids import BidsTarget, write_bids
from mrviewer.writers.tables import write_lesions, write_metrics

GRID = Geometry.axial((4, 6, 8), (3.0, 1.0, 1.0))
NAME = re.compile(r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*_[A-Za-z0-9]+\.(nii\.gz|json|tsv)")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1, 2:4, 2:4] = 1
    for name in ("reconstruction", "error", "segmentation"):
        write_volume(folder / f"{name}.nii.gz", labels, GRID)
    write_lesions(folder / "lesions.csv", lesion_table(labels, labels * 0, GRID))
    metrics = {"method": "cs-wavelet+unet-full", "modality": "FLAIR", "mask": {"name": "random"}, "origin": "scanner"}
    write_metrics(folder / "metrics.json", {**metrics, "notes": ["left out: Zyxwv.nii.gz"]})
    return folder


def test_files_have_names_that_bids_allows(tmp_path: Path, results: Path) -> None:
    target = BidsTarget(tmp_path / "derivatives" / "mrviewer", "07", "2")
    files = write_bids(results, target)
    images = [Path(one).name for one in files if Path(one).name.startswith("sub-")]
    assert [one for one in images if not NAME.fullmatch(one)] == []
    assert "sub-07_ses-2_space-orig_desc-cswaveletunetfull_FLAIR.nii.gz" in images
    assert all((target.root / one).is_file() for one in files)
    description = json.loads((target.root / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "mrviewer"


def test_images_are_the_same_and_say_how_they_were_made(tmp_path: Path, results: Path) -> None:
    target = BidsTarget(tmp_path / "out", "07")
    write_bids(results, target)
    mask = next(target.folder.glob("*_mask.nii.gz"))
    np.testing.assert_array_equal(
        np.asarray(nibabel.load(mask).dataobj), np.asarray(nibabel.load(results / "segmentation.nii.gz").dataobj)
    )
    about = json.loads(mask.with_name(mask.name.replace(".nii.gz", ".json")).read_text())
    assert (about["Type"], about["Method"]) == ("Lesion", "cs-wavelet+unet-full")


def test_contrast_agents_come_first(tmp_path: Path, results: Path) -> None:
    metrics = json.loads((results / "metrics.json").read_text())
    write_metrics(results / "metrics.json", {**metrics, "modality": "T1Gd", "method": "d5c5"})
    target = BidsTarget(tmp_path / "out", "07")
    write_bids(results, target)
    assert (target.folder / "sub-07_ce-gadolinium_space-orig_desc-d5c5_T1w.nii.gz").is_file()


def test_lesions_have_units_and_a_word_for_the_unknown(tmp_path: Path, results: Path) -> None:
    target = BidsTarget(tmp_path / "out", "07")
    write_bids(results, target)
    table = next(target.folder.glob("*_lesions.tsv"))
    header, row = (line.split("\t") for line in table.read_text().splitlines())
    assert header == [column.name for column in LESION_COLUMNS]
    assert row[header.index("precision")] == "n/a"
    dictionary = json.loads(table.with_suffix(".json").read_text())
    assert list(dictionary) == header
    assert dictionary["volume_ml"]["Units"] == "mL"


def test_no_file_name_of_the_person_is_copied(tmp_path: Path, results: Path) -> None:
    target = BidsTarget(tmp_path / "out", "07")
    for name in write_bids(results, target):
        assert b"Zyxwv" not in (target.root / name).read_bytes()


def test_a_database_finds_the_lesions(tmp_path: Path, results: Path) -> None:
    raw = tmp_path / "bids" / "sub-07" / "anat"
    raw.mkdir(parents=True)
    write_volume(raw / "sub-07_FLAIR.nii.gz", np.ones(GRID.shape, np.float32), GRID)
    write_bids(results, BidsTarget(tmp_path / "bids" / "derivatives" / "mrviewer", "07"))
    subject = find_in_bids(tmp_path / "bids").subjects[0]
    assert [path.name for path in subject.labels.values()] == [
        "sub-07_space-orig_label-L_desc-cswaveletunetfull_mask.nii.gz"
    ]


def test_what_is_no_result_is_refused(tmp_path: Path, results: Path) -> None:
    with pytest.raises(InputError, match="'Jane Doe' is no BIDS label"):
        BidsTarget(tmp_path, "Jane Doe")
    with pytest.raises(InputError, match=r"holds no metrics.json"):
        write_bids(tmp_path, BidsTarget(tmp_path / "out", "01"))
    (results / "metrics.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"metrics.json cannot be read .*; run `mrviewer reconstruct` again"):
        write_bids(results, BidsTarget(tmp_path / "out", "01"))


def test_the_command_writes_them(tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["export-bids", "--results", str(results), "--output", str(tmp_path / "out"), "--subject", "07"]
    assert cli.main(given) == 0
    assert re.search(r"wrote \d+ files", capsys.readouterr().err)
    assert cli.main([*given[:-1], "no label"]) == 1
