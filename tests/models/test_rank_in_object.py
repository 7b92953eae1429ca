"""On a skull-stripped head the whole volume and the head alone rank two methods the other way round."""

import json
from pathlib import Path

import nibabel as nib
import pytest

from mrviewer import cli


@pytest.mark.shared_data
@pytest.mark.slow
def test_inside_the_head_d5c5_is_better_than_cirim(shared_data: Path, tmp_path: Path) -> None:
    [path] = (shared_data / "ms_lesjak_mni" / "patient19").glob("FLAIR_*")
    nib.save(nib.load(path).slicer[:, :, 83:86], tmp_path / "FLAIR.nii.gz")
    found = {}
    for method in ("d5c5", "cirim"):
        options = ["--mask", "random", "--method", method, "--device", "cpu", "--output", str(tmp_path / method)]
        assert cli.main(["reconstruct", str(tmp_path / "FLAIR.nii.gz"), *options]) == 0
        found[method] = json.loads((tmp_path / method / "metrics.json").read_text())
    assert found["cirim"]["image"]["ssim"] > found["d5c5"]["image"]["ssim"]
    assert found["cirim"]["image_in_object"]["ssim"] < found["d5c5"]["image_in_object"]["ssim"]
