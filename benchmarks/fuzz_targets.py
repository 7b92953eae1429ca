"""What is read besides images: masks, labels, tables, models, the files of runs, results, caches and settings.

Each kind has sound files, and a way to read them that goes through the same functions as the commands and the viewer.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO, StringIO
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image
from safetensors.numpy import save
from scipy import sparse
from scipy.io import savemat

from benchmarks.fuzz_inputs import Seed

__all__ = ["TARGETS", "target_seeds"]

_AFFINE = np.diag([-1.0, -1.0, 2.0, 1.0])
_RUN_METRICS = {
    "method": "unet-full",
    "modality": "FLAIR",
    "mask": {"name": "random", "acceleration": 4.0, "center_fraction": 0.08, "seed": 0, "achieved_acceleration": 4.0},
    "device": "cpu",
    "seconds": 1.5,
    "image": {"psnr": 30.0, "ssim": 0.9, "nmse": 0.01, "hfen": 0.2},
    "segmentation": {"dice": 0.7, "lesion_f1": None, "lesions_found": 2, "false_regions": 0},
    "notes": ["a note"],
}
_LESIONS = (
    "lesion,status,volume_ml,dice,precision,recall,centroid_x_mm,centroid_y_mm,centroid_z_mm\n"
    "1,found,0.4,0.7,0.8,0.6,-6.8,3.2,1.2\n2,missed,0.1,0.0,,0.0,1,2,3\n"
)


def target_seeds() -> list[Seed]:
    """Small sound files of every kind that is not an image."""
    return [
        *_masks(), *_labels(), *_databases(), *_tables(), *_run_files(), *_models(), *_checkpoints(), *_results(),
        *_corrections(), *_caches(), *_experiments(), *_settings(),
    ]  # fmt: skip


def _volume(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, (9, 8, 6)).astype(np.int16)


def _nifti(array: np.ndarray) -> bytes:
    content: bytes = nibabel.Nifti1Image(array, _AFFINE).to_bytes()
    return content


def _label() -> np.ndarray:
    array = np.zeros((9, 8, 6), np.uint8)
    array[2:5, 3:5, 2:4] = 1
    return array


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def _stream(write: Callable[[BytesIO], object]) -> bytes:
    stream = BytesIO()
    write(stream)
    return stream.getvalue()


def _masks() -> list[Seed]:
    pattern = np.random.default_rng(0).random((16, 12)) < 0.4
    pattern[:, 5:8] = True
    grey = Image.fromarray((pattern * 255).astype(np.uint8))
    palette = grey.convert("P")
    matrices = (
        {"mask": pattern.astype(np.uint8)},
        {"mask": pattern},
        {"mask": sparse.csc_array(pattern.astype(float))},
        {"fov": 220.0, "mask": pattern.astype(float), "who": "nobody", "list": np.array([{"a": 1}], dtype=object)},
    )
    return [
        Seed("mask", {".npy": _stream(lambda stream: np.save(stream, pattern))}),
        Seed(
            "mask", {".npy": _stream(lambda stream: np.save(stream, np.stack([pattern, pattern]).astype(np.float32)))}
        ),
        Seed("mask", {".png": _stream(lambda stream: grey.save(stream, "PNG"))}),
        Seed("mask", {".png": _stream(lambda stream: palette.save(stream, "PNG"))}),
        *(
            Seed(
                "mask",
                {".mat": _stream(lambda stream, one=one, packed=packed: savemat(stream, one, do_compression=packed))},
            )
            for one in matrices
            for packed in (False, True)
        ),
    ]


def _labels() -> list[Seed]:
    image = {"image.nii": _nifti(_volume())}
    kinds = (_label(), _label().astype(np.float32) * 0.9, _label().astype(np.int16) * 255)
    return [Seed("labels", {".nii": _nifti(array)}, image) for array in kinds]


def _cases(names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: _nifti(_label() if "label" in name else _volume(number)) for number, name in enumerate(names)}


def _databases() -> list[Seed]:
    images = _cases(("imagesTr/a.nii", "labelsTr/label_a.nii", "imagesTr/b.nii", "labelsTr/label_b.nii"))
    named = [{"image": f"imagesTr/{name}.nii", "label": f"labelsTr/label_{name}.nii"} for name in "ab"]
    decathlon = {
        "name": "heads", "modality": {"0": "FLAIR"}, "labels": {"0": "background", "1": "lesion"}, "training": named,
        "test": [], "numTraining": 2,
    }  # fmt: skip
    nnunet = {
        "channel_names": {"0": "T1"},
        "labels": {"background": 0, "whole": [1, 2], "core": 2},
        "file_ending": ".nii",
    }
    bids = _cases(("sub-01/anat/sub-01_FLAIR.nii", "sub-01/anat/sub-01_label-lesion_mask.nii"))
    return [
        Seed("dataset.json", {"dataset.json": _json(decathlon)}, images),
        Seed("dataset.json", {"dataset.json": _json(nnunet)}, _cases(("imagesTr/a_0000.nii", "labelsTr/label_a.nii"))),
        Seed("participants.tsv", {"participants.tsv": b"participant_id\tage\nsub-01\t40\nsub-02\t51\n"}, bids),
    ]


def _tables() -> list[Seed]:
    images = _cases(("a.nii", "label_a.nii", "b.nii", "label_b.nii"))
    rows = [
        ["subject", "patient", "FLAIR", "label"],
        *([name, name, f"{name}.nii", f"label_{name}.nii"] for name in "ab"),
    ]
    texts = [mark.join(["{}"] * 4) for mark in (",", "\t", ";")]
    contents = ["\n".join(text.format(*row) for row in rows) for text in texts]
    mapping = {
        "modalities": {"FLAIR": "FLAIR", "T1": ""}, "label": "label", "label_values": {"1": 1, "2": 0},
        "excluded": ["b"], "voxel_mm": [2.0, 1.0, 1.0],
    }  # fmt: skip
    return [
        *(
            Seed("table", {f"table{end}": text.encode()}, images)
            for end, text in zip((".csv", ".tsv", ".csv"), contents, strict=True)
        ),
        Seed("mapping", {"mapping.json": _json(mapping)}),
    ]


def _run_files() -> list[Seed]:
    plan = {
        "method": "unet-full", "database": ["heads"], "output": "run", "weights": "", "mapping": None, "parts": ["all"],
        "validation": ["a"], "validation_share": 0.25, "epochs": 2.0, "options": {"seed": "1"}, "name": "mine",
        "device": "cpu", "modality": "", "acceleration": 4.0, "mask": "random", "validate_every": 0, "add": True,
    }  # fmt: skip
    state = {
        "state": "training", "step": 4, "total_steps": 9, "best": 0.5, "seconds_left": 3.0, "memory_bytes": 10,
        "device": "cpu", "message": "goes on", "started": 1.7e9,
    }  # fmt: skip
    events = [
        {"time": 1.0, "event": "start", "resumed": False}, {"time": 2.0, "event": "step", "step": 1, "loss": 0.5},
        {"time": 3.0, "event": "validation", "step": 1, "metrics": {"dice": 0.5}, "picture": "validation/1.npz"},
        {"time": 4.0, "event": "note", "message": "left out b"},
    ]  # fmt: skip
    summary = {
        "method": "mine", "parent": "unet-full", "model": "mine", "sentence": "better", "by_lesion": [],
        "subjects": {"training": ["a"], "validation": ["b"]}, "before": {}, "after": {},
    }  # fmt: skip
    files = {
        "plan.json": _json(plan),
        "state.json": json.dumps(state).ljust(4096).encode(),
        "run.lock": json.dumps({"pid": 1, "started": 1.0, "host": "here"}).ljust(512).encode(),
        "control.json": _json({"wish": "pause"}),
        "options.json": _json({"options": {"seed": "1"}, "fingerprint": "a"}),
        "events.jsonl": "".join(json.dumps(one) + "\n" for one in events).encode(),
        "summary.json": _json(summary),
        "output.log": b"starting\nended\n",
    }  # fmt: skip
    folder = {f"run/{name}": content for name, content in files.items()}
    return [
        Seed("run", {name: content}, {other: text for other, text in folder.items() if other != name})
        for name, content in folder.items()
    ]


def _models() -> list[Seed]:
    from mrviewer.methods.registry import get_method
    from mrviewer.training.recipe import Trainable

    seeds = []
    for name in ("unet-full", "d5c5"):
        method = get_method(name)
        assert isinstance(method, Trainable)
        recipe = method.recipe({"preset": "tiny"})
        tensors = {key: value.numpy() for key, value in recipe.network().state_dict().items()}
        lineage = {
            "parent": name, "database": ["heads"], "subjects": {"training": ["a"], "validation": ["b"]},
            "before": {"segmentation": {"dice": 0.1}}, "after": {"segmentation": {"dice": 0.7}}, "verdict": "better",
        }  # fmt: skip
        card = {
            "method": name, "recipe": {"shape": asdict(recipe.options.shape)}, "lineage": lineage, "trained_on": ["a"],
            "needs": {"modalities": ["FLAIR"], "max_coils": None}, "classes": ["lesion"],
        }  # fmt: skip
        seeds.append(Seed("model", {"mine.safetensors": save(tensors, {"mrviewer": json.dumps(card)})}))
    return seeds


def _checkpoints() -> list[Seed]:
    import torch

    from mrviewer.training.checkpoint import save_checkpoint

    network, optimiser = _little_network()
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        save_checkpoint(path, network, optimiser, 4, "same", {"best": 0.5})
        return [Seed("checkpoint", {"checkpoint.safetensors": path.read_bytes()})]


def _little_network() -> "tuple[torch.nn.Module, torch.optim.Optimizer]":  # noqa: F821 - torch takes its time
    import torch

    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    return network, torch.optim.Adam(network.parameters())


def _results() -> list[Seed]:
    image = {"reconstruction.nii.gz": b"anything"}
    metrics, lesions = {"metrics.json": _json(_RUN_METRICS)}, {"lesions.csv": _LESIONS.encode()}
    return [Seed("results", metrics, {**image, **lesions}), Seed("results", lesions, {**image, **metrics})]


def _corrections() -> list[Seed]:
    facts = {
        "study": "a", "images": ["a.nii"], "author": "N. N.", "made": "2025-01-02T03:04:05+00:00",
        "source": {"method": "unet-full"}, "based_on": {"a.nii": "0" * 64},
    }  # fmt: skip
    name = "mrviewer-corrections/a_1_label"
    return [Seed("correction", {f"{name}.json": _json(facts)}, {"a.nii": _nifti(_volume()), f"{name}.nii.gz": b"any"})]


def _caches() -> list[Seed]:
    from mrviewer.training.data.sealed import write_sealed

    arrays = _cached_arrays()
    with tempfile.TemporaryDirectory() as folder:
        write_sealed(Path(folder) / "a.safetensors", arrays)
        return [
            Seed("cache", {"prepared.safetensors": (Path(folder) / "a.safetensors").read_bytes()}),
            Seed("cache", {"case.npz": _stream(lambda stream: np.savez(stream, **arrays))}),
        ]


def _cached_arrays() -> dict[str, np.ndarray]:
    return {"volume": _volume(3).astype(np.float32), "label": _label()}


def _experiments() -> list[Seed]:
    from mrviewer.experiments.table_files import list_tables
    from mrviewer_models.reproduction import FOLDER

    assert list_tables()
    tables = sorted(Path(FOLDER).glob("*.toml"))
    around = {path.name: path.read_bytes() for path in tables}
    figures = {
        "seed": 1, "figures": {"test": {"a": {"dice": 0.5}}}, "real": {}, "training_seconds": 3.0, "parameters": 10,
    }  # fmt: skip
    return [
        *(Seed("experiment", {path.name: path.read_bytes()}, {k: v for k, v in around.items() if k != path.name})
          for path in tables[:3]),
        Seed("experiment", {"figures.json": _json(figures)}),
    ]  # fmt: skip


def _settings() -> list[Seed]:
    preferences = {
        "acceleration": 4.0, "shown": "zero-filled d5c5", "error_gain": 5.0, "radiological": True, "device": "auto",
        "author": "N. N.", "told": True,
    }  # fmt: skip
    return [Seed("settings", {"settings.json": _json(preferences)})]


# How each kind is read -----------------------------------------------------------------------------------------------


def _read_mask(path: Path) -> None:
    from mrviewer.sampling.mask_file import load_mask

    load_mask(path)


def _read_labels(path: Path) -> None:
    from mrviewer.readers import open_study

    study = open_study([path.with_name("image.nii")], labels=path)
    assert study.labels is not None
    study.labels.volume()


def _read_database(path: Path) -> None:
    from mrviewer.database import open_database, propose_mapping, survey_database
    from mrviewer.errors import MrviewerError
    from mrviewer.progress import finish

    place = path.parent if path.name == "participants.tsv" else path
    survey = finish(survey_database(str(place)))
    json.dumps({**survey.to_json(), "mapping": propose_mapping(survey, None).to_json()}, allow_nan=False)
    for subject in open_database([str(place)], propose_mapping(survey, None)):
        try:
            subject.load()
        except MrviewerError:
            continue


def _read_mapping(path: Path) -> None:
    from mrviewer.database.mapping import read_mapping

    json.dumps(read_mapping(path).to_json(), allow_nan=False)


def _read_run(path: Path) -> None:
    from mrviewer.commands.runs import runs
    from mrviewer.errors import MrviewerError
    from mrviewer.files.run_lock import read_holder
    from mrviewer.finetuning.run_folder.events import read_events, write_curves
    from mrviewer.finetuning.run_folder.requests import read_request
    from mrviewer.finetuning.run_folder.result import read_summary
    from mrviewer.finetuning.run_folder.start_record import read_start_record
    from mrviewer_napari.sections.finetune.facts.run_history import RunHistory

    folder = path.parent
    with _quiet():
        runs("list", folder.parent, as_json=True)
        runs("list", folder.parent)
    read_request(folder)
    read_holder(folder)
    RunHistory().take(read_events(folder))
    write_curves(folder, folder / "curves.csv")
    (folder / "curves.csv").unlink()
    failure: MrviewerError | None = None
    for read in (read_start_record, read_summary, _read_plan):
        try:
            read(folder)
        except MrviewerError as error:
            failure = error
    if failure is not None:
        raise failure


def _read_plan(folder: Path) -> None:
    from mrviewer.finetuning.run_folder.plan import read_plan
    from mrviewer.finetuning.run_folder.record import read_run

    plan = read_plan(folder).checked()
    json.dumps(plan.to_json(), allow_nan=False)
    assert isinstance(plan.model_name + plan.database_name, str)
    read_run(folder)


class _quiet:  # noqa: N801 - used like a function
    """Nothing of what commands print."""

    def __enter__(self) -> None:
        import sys

        self._out, sys.stdout = sys.stdout, StringIO()

    def __exit__(self, *_: object) -> None:
        import sys

        sys.stdout = self._out


def _read_model(path: Path) -> None:
    from mrviewer.methods.own import export_model, import_model, own_models
    from mrviewer.methods.own.own_methods import own_methods
    from mrviewer.methods.own.transfer import add_model

    elsewhere = Path(tempfile.mkdtemp())
    try:
        os.environ["MRVIEWER_MODELS"] = str(path.parent)
        listed = [method.card for method in own_methods()]
        assert len(listed) <= len(own_models())
        for card in listed:
            export_model(card.name, elsewhere / f"{card.name}-out.safetensors")
        os.environ["MRVIEWER_MODELS"] = str(elsewhere)
        add_model(path, "other")
        import_model(path, "third")
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


def _read_checkpoint(path: Path) -> None:
    from mrviewer.training.checkpoint import load_checkpoint, read_notes

    network, optimiser = _little_network()
    assert load_checkpoint(path, network, optimiser, "same") >= 0
    read_notes(path)


def _read_results(path: Path) -> None:
    from mrviewer.writers.bids import BidsTarget, write_bids
    from mrviewer.writers.dicom.source_choice import modality_beside

    modality_beside(path.with_name("segmentation.nii.gz"))
    write_bids(path.parent, BidsTarget(path.parent / "bids", "01"))


def _read_correction(path: Path) -> None:
    from mrviewer.writers.corrections import list_corrections

    list_corrections(path.parent.parent)


def _read_cache(path: Path) -> None:
    from safetensors.numpy import load_file

    from mrviewer.array_files.stored_npz import read_npz
    from mrviewer.training.data.sealed import is_sealed

    if path.suffix == ".safetensors":
        if not is_sealed(path):
            return
        stored = load_file(path)
    else:
        stored = read_npz(path)
    for name, array in _cached_arrays().items():
        if name in stored:
            np.testing.assert_array_equal(stored[name], array)


def _read_experiment(path: Path) -> None:
    from mrviewer.experiments.table_files import read_table
    from mrviewer.experiments.table_results import read_figures

    if path.suffix == ".toml":
        read_table(path)
    else:
        read_figures(path)


def _read_settings(path: Path) -> None:
    from mrviewer_napari.preferences import preferences_of

    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        return
    preferences_of(values if isinstance(values, dict) else {})


TARGETS: dict[str, Callable[[Path], None]] = {
    "mask": _read_mask,
    "labels": _read_labels,
    "dataset.json": _read_database,
    "participants.tsv": _read_database,
    "table": _read_database,
    "mapping": _read_mapping,
    "run": _read_run,
    "model": _read_model,
    "checkpoint": _read_checkpoint,
    "results": _read_results,
    "correction": _read_correction,
    "cache": _read_cache,
    "experiment": _read_experiment,
    "settings": _read_settings,
}
"""How files of each kind are read; they raise what they raise."""
