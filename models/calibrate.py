"""Choose threshold and smallest component of a segmenter on patients that it never saw.

    python models/calibrate.py DATABASE --fold RUN:PATIENT [--fold RUN:PATIENT ...] [--write RUN ...]

Each fold is a run of `unet-full` that held a patient out. Every setting is measured on every fold. The figures that are
printed as honest are those of each patient with the setting that the *other* patients choose; what is written into the
weights of the runs named by ``--write`` is the setting that all of them choose. Each fold gets its honest figures as
``calibrated.json``, which ``ship.py`` puts into the weights.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.database import Subject, open_database
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.metrics.lesions import lesion_table
from mrviewer.progress import finish
from mrviewer.reconstruction.acquisition import measure, raw_data
from mrviewer.sampling import make_mask
from mrviewer.study import Study
from mrviewer_models.unet_full.calibration import Calibration
from mrviewer_models.unet_full.inference import infer_volume, lesions_in, load
from mrviewer_models.unet_full.network import ImageUNet

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SMALLEST_MM3 = (0.0, 3.0, 5.0, 10.0, 20.0)
LOOKS = ((True, True), (False, False))
MOST_INVENTED = 20
"""Regions without a lesion that a setting may leave on a patient, where one of the settings leaves so few."""


@dataclass(frozen=True)
class Score:
    """What a setting gives on one patient."""

    dice: float
    found: int
    lesions: int
    invented: int


@dataclass(frozen=True, eq=False)
class Patient:
    """Probabilities of a patient, straight on and otherwise, and what is true."""

    name: str
    study: Study
    modality: str
    probabilities: dict[tuple[bool, bool], NDArray[np.float32]]

    def score(self, setting: Calibration) -> Score:
        """Dice of all voxels, and lesions by the rules of `mrviewer.metrics.lesions`."""
        labels, geometry = self.study.labels, self.study.geometry(self.modality)
        assert labels is not None
        truth = labels.volume() > 0
        probability = self.probabilities[setting.planes, setting.mirror]
        found = lesions_in(probability, setting, float(np.prod(geometry.voxel_size_mm)))
        table = lesion_table(truth, found, geometry)
        both = np.count_nonzero(found) + np.count_nonzero(truth)
        dice = 2 * np.count_nonzero(found & truth) / both if both else 1.0
        return Score(dice, table.n_found, table.n_reference, table.n_false)


def settings() -> Iterator[Calibration]:
    """Everything that is tried."""
    for (planes, mirror), threshold, smallest in product(LOOKS, THRESHOLDS, SMALLEST_MM3):
        yield Calibration(planes, mirror, threshold, smallest)


def look(subject: Subject, weights: Path) -> Patient:
    """Run the network on a patient in every way of looking."""
    study = subject.load()
    modality = study.choose_modality()
    raw = raw_data(study, modality)
    measurement = measure(study, raw, make_mask("full", raw.shape[2:]), range(raw.shape[0]))
    probabilities = {}
    for planes, mirror in LOOKS:
        network = load(weights).eval()
        assert isinstance(network, ImageUNet)
        network.calibration = Calibration(planes, mirror)
        result = finish(infer_volume(network, measurement, "cpu"))
        assert result.probabilities is not None
        probabilities[planes, mirror] = np.moveaxis(result.probabilities[0], 0, raw.slice_axis)
    return Patient(subject.name, study, modality, probabilities)


def best(patients: Sequence[Patient]) -> Calibration:
    """Setting of the highest mean Dice among those that invent little on each of some patients."""
    scores = {setting: [patient.score(setting) for patient in patients] for setting in settings()}
    sober = {setting: rows for setting, rows in scores.items() if all(row.invented <= MOST_INVENTED for row in rows)}
    return max(sober or scores, key=lambda setting: float(np.mean([row.dice for row in scores[setting]])))


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write where it is asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--fold", action="append", required=True)
    parser.add_argument("--write", action="append", type=Path, default=[])
    given = parser.parse_args(arguments)
    if len(given.fold) < 2:
        parser.error("one fold was given; give two or more, since each patient is judged by what the others choose")
    subjects = {subject.name: subject for subject in open_database([str(given.database)])}
    runs = [Path(fold.rpartition(":")[0]) for fold in given.fold]
    names = [fold.rpartition(":")[2] for fold in given.fold]
    patients = [look(subjects[name], run / "weights.safetensors") for run, name in zip(runs, names, strict=True)]
    for run, patient in zip(runs, patients, strict=True):
        others = [other for other in patients if other is not patient]
        setting = best(others)
        score = patient.score(setting)
        plain = Calibration(False, False, 0.5, 0.0)
        _print(patient.name, "plain", plain, patient.score(plain))
        _print(patient.name, "chosen by others", setting, score)
        honest = {patient.name: {"setting": asdict(setting), **asdict(score)}}
        (run / "calibrated.json").write_text(json.dumps(honest, indent=1), encoding="utf-8")
    chosen = best(patients)
    for patient in patients:
        _print(patient.name, "chosen by all", chosen, patient.score(chosen))
    for run in given.write:
        _write(run / "weights.safetensors", chosen)


def _print(name: str, title: str, setting: Calibration, score: Score) -> None:
    sys.stdout.write(f"{name}: {title}: {json.dumps(asdict(setting))}: {json.dumps(asdict(score))}\n")


def _write(path: Path, setting: Calibration) -> None:
    weights = load_weights(path)
    recipe = weights.about["recipe"]
    assert isinstance(recipe, dict)
    about = {**weights.about, "recipe": {**recipe, "calibration": asdict(setting)}}
    save_weights(path, Weights(weights.tensors, about))


if __name__ == "__main__":
    main(sys.argv[1:])
