"""Somebody else's method: the example package, installed as a user would, is found and run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="the example is installed with hatchling, of the extra dev")

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cg_sense"
STUDY = """
import json, sys
import numpy as np
from mrviewer.geometry import Geometry
from mrviewer.phantom.scan import ScannedImage, SimulatedScan
from mrviewer.study import Image, Study

y, x = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 48), indexing="ij")
disc = ((np.hypot(y, x) < 0.8) & (np.hypot(y - 0.2, x) > 0.3)).astype(np.float32)
scan = SimulatedScan("T1", np.stack([disc, disc[::-1]]), seed=0, noise_level=0.005)
image = Image(ScannedImage(scan), Geometry.axial((2, 64, 48), (5.0, 1.0, 1.0)), "T1")
study = Study("eight coils", {"T1": image}, raw={"T1": scan})
"""
IN_PYTHON = """
from mrviewer.methods.registry import get_method
from mrviewer.progress import finish
from mrviewer.metrics.quality import psnr
from mrviewer.reconstruction.reconstruct import reconstruct
from mrviewer.sampling import make_mask

mask = make_mask("equispaced", (64, 48), 2.0, 0.08, 0)
runs = {name: finish(reconstruct(study, get_method(name), mask, device="cpu")) for name in ("zero-filled", "cg-sense")}
print(json.dumps({name: psnr(run.image, run.reference) for name, run in runs.items()}))
"""
ON_THE_COMMAND_LINE = """
from mrviewer import cli
from mrviewer.commands import reconstruct

# The sample study would do, and take a minute.
reconstruct.load_study = lambda *_given, **_options: study
sys.exit(cli.main(sys.argv[1:]))
"""


def run(*command: str | Path, target: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | ({"PYTHONPATH": str(target)} if target else {})
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed example, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    run("-m", "pip", "install", "-q", *options, "--target", folder, EXAMPLE)
    return folder


def test_it_is_listed_beside_ours(target: Path) -> None:
    listed = json.loads(run("-m", "mrviewer", "methods", "--json", target=target).stdout)
    [record] = [one for one in listed if one["name"] == "cg-sense"]
    assert record["tasks"] == ["reconstruct"]
    assert "doi:10.1002/mrm.1241" in record["citation"]
    assert {"zero-filled", "cs-wavelet"} <= {one["name"] for one in listed}


def test_it_reconstructs_through_the_core(target: Path) -> None:
    told = json.loads(run("-c", STUDY + IN_PYTHON, target=target).stdout)
    assert told["cg-sense"] > told["zero-filled"] + 6


def test_the_command_line_says_why_it_does_not_fit(target: Path, tmp_path: Path) -> None:
    import nibabel
    import numpy as np

    image = tmp_path / "T1.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 8, 3), np.float32), np.eye(4)), image)
    options = ("--mask", "equispaced", "--method", "cg-sense", "--output", tmp_path / "out")
    refused = run("-m", "mrviewer", "reconstruct", f"T1={image}", *options, target=target, code=1)
    assert "several coils" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_line_runs_it(target: Path, tmp_path: Path) -> None:
    options = ("--mask", "equispaced", "--acceleration", "2", "--method", "cg-sense", "--output", tmp_path / "out")
    done = run("-c", STUDY + ON_THE_COMMAND_LINE, "reconstruct", "sample", *options, "--json", target=target)
    metrics = json.loads(done.stdout)
    assert metrics["method"] == "cg-sense"
    assert metrics["image"]["psnr"] > 20
    assert (tmp_path / "out" / "metrics.json").is_file()


def test_its_own_tests_pass(target: Path) -> None:
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", EXAMPLE, EXAMPLE / "tests", target=target)
