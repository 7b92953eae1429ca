"""Put the weights of a run into a method's folder, with its figures on subjects that its siblings never saw.

    python models/ship.py METHOD RUN [FOLD_RUN ...]

The fold runs were trained by the same recipe with one subject held out each; their ``calibrated.json`` (see
``calibrate.py``), or else their ``evaluation.json``, become the figures of the card inside the weights. They are
printed with the minutes of the run, for ``trained_for`` of ``card.toml``. ``models/measure.py METHOD`` then writes the
figures of these very weights into it.
"""

import json
import sys
from pathlib import Path

from mrviewer.experiments.row_runs import training_seconds
from mrviewer.methods.weights import Weights, load_weights, save_weights

MODELS = Path(__file__).parent / "mrviewer_models"


def ship(method: str, run: Path, folds: list[Path]) -> None:
    """Copy weights, adding the figures of the folds to what they say of themselves."""
    weights = load_weights(run / "weights.safetensors")
    figures: dict[str, object] = {}
    for fold in folds:
        calibrated = fold / "calibrated.json"
        measured = calibrated if calibrated.is_file() else fold / "evaluation.json"
        figures |= json.loads(measured.read_text(encoding="utf-8"))
    minutes = round(training_seconds(run / "events.jsonl") / 60, 1)
    about = {**weights.about, "held_out_figures": _rounded(figures), "minutes": minutes}
    save_weights(MODELS / method.replace("-", "_") / "weights.safetensors", Weights(weights.tensors, about))
    sys.stdout.write(json.dumps(about["held_out_figures"], indent=1) + f"\ntrained for {minutes} minutes\n")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    ship(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
