"""The script that trains the shipped weights asks for what the weights say that they were trained with."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import read_about
from mrviewer.training.options import names_where
from mrviewer_models.network_method import NetworkMethod

SCRIPT = Path(__file__).parents[2] / "models" / "train_shipped.sh"
ELSEWHERE = {
    "brain-mask": {"steps"},  # five runs in a row, as its card says
}
"""What weights say otherwise, and why."""

pytestmark = [
    pytest.mark.skipif(not SCRIPT.is_file(), reason="the script stays in the checkout"),
    pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="it is a script of bash"),
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[str]]:
    """Arguments of the run behind each method's weights, as programs in the place of ours write them down."""
    folder = tmp_path_factory.mktemp("shipped")
    programs, log = folder / "bin", folder / "log"
    programs.mkdir()
    (folder / "maps").mkdir()
    for name in ("mrviewer", "python"):
        program = programs / name
        program.write_text(
            f"#!{sys.executable}\nimport json, sys\nfrom pathlib import Path\n"
            "if 'train' in sys.argv:\n    Path(sys.argv[sys.argv.index('--output') + 1]).mkdir()\n"
            f"with open({str(log)!r}, 'a') as file:\n    print(json.dumps(sys.argv), file=file)\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "LABEL_MAPS": str(folder / "maps"),
    }
    subprocess.run(["bash", str(SCRIPT), str(folder / "data"), str(folder / "runs")], env=environment, check=True)
    calls = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    runs = {Path(call[call.index("--output") + 1]).name: call for call in calls if "train" in call}
    return {call[2]: runs[Path(call[3]).name] for call in calls if call[1].endswith("ship.py")}


def test_weights_say_what_the_script_asks_for(asked: Mapping[str, Sequence[str]]) -> None:
    assert len(asked) > 10
    for name, call in asked.items():
        method = get_method(name)
        assert isinstance(method, NetworkMethod)
        typed = dict(text.split("=", 1) for flag, text in pairwise(call) if flag == "--set")
        plan = method.recipe({key: value for key, value in typed.items() if not value.startswith(os.sep)})
        here = names_where([plan.training, plan.options], lambda traits: traits.is_path) | {"hold_out", "threads"}
        known = {**asdict(plan.training), **asdict(plan.options)}
        said = read_about(method.weights_file)["recipe"]
        assert isinstance(said, dict)
        for key in set(typed) - here - ELSEWHERE.get(name, set()):
            wanted = known[key]
            assert said[key] == (list(wanted) if isinstance(wanted, tuple) else wanted), f"{name}: {key}"
