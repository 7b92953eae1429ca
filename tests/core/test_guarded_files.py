"""Files that are not images, damaged or hostile: one sentence for each, and the good ones beside them stay in sight."""

import json
import logging
import os
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save
from scipy import sparse
from scipy.io import savemat

from mrviewer import cli
from mrviewer.array_files.stored_npz import read_npz
from mrviewer.database import open_database, survey_database
from mrviewer.database.mapping import read_mapping
from mrviewer.errors import FileFormatError, InputError, MaskError, MrviewerError, WeightsError
from mrviewer.experiments.table_files import read_table
from mrviewer.files.run_lock import read_holder
from mrviewer.finetuning import RunState, read_events, survey_runs, write_curves
from mrviewer.finetuning.run_folder.plan import read_plan
from mrviewer.finetuning.run_folder.requests import RunRequest, read_request
from mrviewer.finetuning.run_folder.result import read_summary
from mrviewer.finetuning.run_folder.start_record import read_start_record
from mrviewer.methods.own import add_model, own_models
from mrviewer.methods.registry import get_method
from mrviewer.phantom import sample
from mrviewer.progress import finish
from mrviewer.readers.contents import FileContents
from mrviewer.sampling.mask_file import load_mask
from mrviewer.training.checkpoint import load_checkpoint, save_checkpoint
from mrviewer.training.data.sealed import is_sealed, write_sealed
from mrviewer.training.recipe import Trainable
from mrviewer.writers.bids import BidsTarget, write_bids
from mrviewer.writers.corrections import survey_corrections
from mrviewer.writers.dicom.source_choice import modality_beside

DEEP = "[" * 100_000
LONG = "9" * 5000
NESTED = '{"a":' * 300 + "1" + "}" * 300
NOT_JSON = (
    DEEP,
    "{",
    "",
    "[]",
    "3",
    "null",
    '"text"',
    NESTED,
    f'{{"method": {LONG}}}',
    "\x00",
    '{"a": 1e999}',
    "\ud800",
)
POINTS = np.random.default_rng(0).random((16, 12)) < 0.5


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


# Masks ---------------------------------------------------------------------------------------------------------------


def test_a_sparse_mask_of_terabytes_is_refused(tmp_path: Path) -> None:
    matrix = sparse.csc_array((200_000, 200_000))
    savemat(tmp_path / "a.mat", {"mask": matrix})
    with pytest.raises(MaskError, match=r"a\.mat holds an array of shape \(200000, 200000\); masks up to 4096 x 4096"):
        load_mask(tmp_path / "a.mat")


def test_a_sparse_mask_with_places_outside_of_it_does_not_end_the_process(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"mask": sparse.csc_array(POINTS.astype(float))})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    rows = sparse.csc_array(POINTS.astype(float)).indices.astype(np.int32).tobytes()
    place = content.index(rows)
    content[place : place + 4] = struct.pack("<i", 2**30)
    (tmp_path / "a.mat").write_bytes(bytes(content))
    with pytest.raises(FileFormatError, match=r"a\.mat cannot be read"):
        load_mask(tmp_path / "a.mat")


def test_a_mask_of_unknown_numbers_does_not_end_the_process(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"mask": POINTS.astype(float)})
    content = (tmp_path / "a.mat").read_bytes()
    place = content.rindex(struct.pack("<II", 9, POINTS.size * 8))
    (tmp_path / "a.mat").write_bytes(content[:place] + struct.pack("<I", 11) + content[place + 4 :])
    with pytest.raises(FileFormatError, match=r"a\.mat cannot be read .*numbers are of type 11"):
        load_mask(tmp_path / "a.mat")


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.bool_])
def test_matlab_masks_of_every_kind_still_open(tmp_path: Path, kind: type) -> None:
    for value in (POINTS.astype(kind), sparse.csc_array(POINTS.astype(float))):
        savemat(tmp_path / "a.mat", {"fov": "text", "mask": value, "other": np.ones(3)}, do_compression=True)
        np.testing.assert_array_equal(load_mask(tmp_path / "a.mat").pattern, POINTS)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize(
    ("size", "extra", "words"),
    [
        ((60_000, 60_000), b"", "too large an image"),
        ((5000, 4000), b"", "too large an image"),
        ((8, 8), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 << 20))), "not a readable PNG"),
    ],
)
def test_images_that_grow_are_refused(tmp_path: Path, size: tuple[int, int], extra: bytes, words: str) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b""))
    with pytest.raises(InputError, match=words):
        load_mask(tmp_path / "a.png")


# Databases -----------------------------------------------------------------------------------------------------------


def cases(folder: Path) -> None:
    import nibabel

    for name in ("imagesTr/a", "imagesTr/b", "labelsTr/a", "labelsTr/b"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        array = (np.random.default_rng(len(name)).random((6, 5, 4)) * 90).astype(np.int16)
        nibabel.save(
            nibabel.Nifti1Image((array > 60).astype(np.uint8) if "label" in name else array, np.eye(4)),
            folder / f"{name}.nii",
        )


@pytest.mark.parametrize("text", NOT_JSON)
def test_a_dataset_json_that_is_none(tmp_path: Path, text: str) -> None:
    put(tmp_path / "dataset.json", text)
    with pytest.raises(FileFormatError, match=r"dataset\.json") as caught:
        finish(survey_database(str(tmp_path)))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {LONG: "lesion", "1": "a"}}, {"labels": {"²": "lesion"}}, {"labels": [["a"]]},
        {"modality": {LONG: "FLAIR"}}, {"modality": 3}, {"modality": {"x": "FLAIR"}},
        {"training": [{"image": "a\0.nii"}]}, {"training": [{"image": "\ud800.nii"}]}, {"training": [[["a"]]]},
        {"training": [{"image": "x" * 5000 + ".nii"}]}, {"training": "imagesTr"}, {"test": {"a": 1}},
    ],
    ids=lambda change: str(change)[:40],
)  # fmt: skip
def test_a_dataset_json_of_wrong_values(tmp_path: Path, change: Mapping[str, object]) -> None:
    cases(tmp_path)
    training = [{"image": f"imagesTr/{name}.nii", "label": f"labelsTr/{name}.nii"} for name in "ab"]
    told = {"modality": {"0": "FLAIR"}, "labels": {"0": "none", "1": "lesion"}, "training": training}
    put(tmp_path / "dataset.json", json.dumps({**told, **change}))
    try:
        survey = finish(survey_database(str(tmp_path)))
        json.dumps(survey.to_json())
        open_database([str(tmp_path)])
    except MrviewerError as error:
        survey = error
    assert len(str(survey)) < 600 or not isinstance(survey, MrviewerError)


@pytest.mark.parametrize("error", [TypeError("/home/Mueller"), MemoryError(), RecursionError(), ZeroDivisionError()])
def test_one_file_that_a_reader_dies_of_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from mrviewer.database import mapped

    cases(tmp_path)
    found_file = mapped.FoundFile

    def read(path: Path, modality: str) -> FileContents:
        if path.parts[-2:] == ("imagesTr", "a.nii"):
            raise error
        return found_file(path).read(modality)

    monkeypatch.setattr(mapped, "FoundFile", lambda path: SimpleNamespace(read=partial(read, path)))
    survey = finish(survey_database(str(tmp_path / "imagesTr")))
    assert [subject.name for subject in survey.subjects] == ["b"]
    [odd] = [odd for odd in survey.oddities if odd.kind == "broken-file"]
    assert "a.nii cannot be read: " in odd.message
    assert "Mueller" not in odd.message


@pytest.mark.parametrize("cell", ["~nouser/a.nii", "a\0.nii", "x" * 5000 + ".nii", "\ud800.nii", "..", "/dev/null"])
def test_a_table_of_paths_that_are_none(tmp_path: Path, cell: str) -> None:
    cases(tmp_path)
    put(tmp_path / "table.csv", f"subject,FLAIR\none,imagesTr/a.nii\ntwo,{cell}\n")
    try:
        survey = finish(survey_database(str(tmp_path / "table.csv")))
    except FileFormatError as error:
        names = {"one"} if "table.csv" in str(error) else set()
    else:
        names = {subject.name for subject in survey.subjects}
    assert "one" in names


@pytest.mark.parametrize(
    "text",
    [
        *NOT_JSON[:5], f'{{"label_values": {{"{LONG}": 1}}}}', '{"voxel_mm": [1, 2]}', '{"voxel_mm": "abc"}',
        '{"voxel_mm": [1e308, 1e308, 1e309]}', '{"label_values": [1]}', '{"modalities": 3}', '{"excluded": 5}',
        '{"label_values": {"1": 1e300}}', f'{{"{LONG}": 1}}',
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_a_mapping_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"mapping") as caught:
        read_mapping(put(tmp_path / "mapping.json", text))
    assert len(str(caught.value)) < 400


# Runs ----------------------------------------------------------------------------------------------------------------

PLAN = {"method": "unet-full", "database": ["a"], "output": "run"}


@pytest.mark.parametrize("text", NOT_JSON)
def test_damaged_files_of_a_run(tmp_path: Path, text: str) -> None:
    run = tmp_path / "run"
    for name in ("state.json", "run.lock", "control.json", "options.json", "summary.json"):
        put(run / name, text)
    put(
        run / "events.jsonl",
        f'{text}\n{{"event": ["step"], "step": 1}}\n{{"step": 1}}\n{{"event": "step", "step": 2, "loss": 0.5}}\n',
    )
    put(run / "plan.json", json.dumps(PLAN))
    [record], unreadable = survey_runs(tmp_path)
    assert (record.state, unreadable) == (RunState.INTERRUPTED, [])
    assert read_request(run) is RunRequest.RUN
    assert read_holder(run) is None
    assert [event["step"] for event in read_events(run)] == [2]
    write_curves(run, run / "curves.csv")
    for read in (read_start_record, read_summary):
        with pytest.raises(InputError, match="run"):
            read(run)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "dancing", "step": "many", "started": None, "best": []},
        {"state": ["training"], "step": 1e300, "total_steps": {}, "message": 5, "seconds_left": "soon"},
    ],
)
def test_a_state_of_wrong_values_hides_nothing(tmp_path: Path, values: Mapping[str, object]) -> None:
    for name in ("a", "b"):
        put(tmp_path / name / "plan.json", json.dumps(PLAN))
    put(tmp_path / "a" / "state.json", json.dumps(values))
    put(tmp_path / "b" / "state.json", json.dumps({"state": "finished", "step": 4, "started": 2.0}))
    runs, unreadable = survey_runs(tmp_path)
    assert [(run.path.name, run.state.value) for run in runs] == [("b", "finished"), ("a", "interrupted")]
    assert unreadable == []


@pytest.mark.parametrize("pid", [-1, 0, 2**70, 1e400, "x", None, [1]])
def test_a_lock_of_no_process(tmp_path: Path, pid: object) -> None:
    import socket

    put(tmp_path / "run.lock", json.dumps({"pid": pid, "started": 1.0, "host": socket.gethostname()}))
    assert read_holder(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"database": 3}, {"database": "folder"}, {"method": None}, {"epochs": "2"},
        {"options": {"a": 1}}, {"parts": [[]]},
        {"acceleration": []}, {"mapping": [1]}, {"validation_share": "x"}, {"output": 5},
    ],
    ids=str,
)  # fmt: skip
def test_one_bad_plan_hides_no_good_one(
    tmp_path: Path, change: Mapping[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "good" / "plan.json", json.dumps(PLAN))
    put(tmp_path / "bad" / "plan.json", json.dumps({**PLAN, **change}))
    with pytest.raises(InputError, match=rf"has an unusable {next(iter(change))}; give method"):
        read_plan(tmp_path / "bad")
    assert cli.main(["runs", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert [run["run"] for run in json.loads(out)] == ["good"]
    assert "left out bad: the plan (plan.json) has an unusable" in " ".join(err.split())


def test_a_plan_whose_paths_are_not_text_comes_back(tmp_path: Path) -> None:
    from mrviewer.finetuning.run_folder.plan import FinetunePlan, write_plan

    folder = os.fsdecode(b"M\xfcller")
    plan = FinetunePlan("unet-full", (folder,), str(tmp_path / "run"))
    write_plan(plan)
    assert read_plan(tmp_path / "run").database == (folder,)


# Models --------------------------------------------------------------------------------------------------------------


def model(path: Path, change: Mapping[str, object], shape: Mapping[str, object] | None = None) -> Path:
    torch.manual_seed(0)
    method = get_method("unet-full")
    assert isinstance(method, Trainable)
    recipe = method.recipe({"preset": "tiny"})
    tensors = {name: value.numpy() for name, value in recipe.network().state_dict().items()}
    described = {**asdict(recipe.options.shape), **(shape or {})}  # type: ignore[attr-defined]
    card = {"method": "unet-full", "recipe": {"shape": described}, "lineage": {}, **change}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(tensors, {"mrviewer": json.dumps(card)}))
    return path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.mark.parametrize(
    "shape",
    [
        {"levels": 10**7}, {"base": 10**7}, {"levels": 500}, {"base": 500}, {"levels": -3}, {"base": 10**400},
        {"levels": "many"}, {"levels": 2.5}, {"dropout": 1e308}, {"norm": "none of these"}, {"levels": [3]},
    ],
    ids=str,
)  # fmt: skip
def test_a_model_that_describes_another_network_is_refused_at_once(
    own: Path, tmp_path: Path, shape: Mapping[str, object]
) -> None:
    path, begun = model(tmp_path / "run.safetensors", {}, shape), time.monotonic()
    with pytest.raises(WeightsError, match=r"run\.safetensors"):
        add_model(path, "mine")
    assert time.monotonic() - begun < 20
    assert not list(own.glob("*"))


@pytest.mark.parametrize(
    "change",
    [
        {"lineage": json.loads('{"a":' * 60 + "1" + "}" * 60)}, {"needs": {"modalities": 3}}, {"needs": [1]},
        {"classes": {"a": 1}}, {"method": "x" * 5000}, {"method": ["unet-full"]}, {"lineage": [1]}, {"recipe": 3},
    ],
    ids=lambda change: str(change)[:30],
)  # fmt: skip
def test_a_model_of_a_strange_card(own: Path, tmp_path: Path, change: Mapping[str, object]) -> None:
    path = model(tmp_path / "run.safetensors", change)
    sentence = ""
    try:
        add_model(path, "mine")
    except MrviewerError as error:
        sentence = str(error)
    assert len(sentence) < 300
    assert bool(sentence) != bool(list(own.glob("*.safetensors")))


def test_one_bad_model_hides_no_good_one(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    model(own / "good.safetensors", {"lineage": {"parent": "unet-full", "after": {"dice": 10**18}}})
    for name, card in {"deep": DEEP, "list": "[]", "long": f'{{"method": {LONG}}}'}.items():
        (own / f"{name}.safetensors").write_bytes(save({"a": np.ones(1)}, {"mrviewer": card}))
    (own / "cut.safetensors").write_bytes(b"\xff" * 20)
    with caplog.at_level(logging.WARNING):
        assert [one.name for one in own_models()] == ["good"]
    assert {name for name in ("deep", "list", "long", "cut") if f"{name}.safetensors" in caplog.text} == {
        "deep",
        "list",
        "long",
        "cut",
    }
    assert get_method("good").card.name == "good"


def test_a_checkpoint_that_is_damaged(tmp_path: Path) -> None:
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, network, optimiser, 4, "same")
    assert load_checkpoint(path, network, optimiser, "same") == 4
    tensors = load_file(path)
    other = {f"{name}.x": value for name, value in tensors.items()}
    good = {"step": "4", "settings": '"same"', "notes": "{}"}
    damaged = [(tensors, good | {"step": "x"}), (tensors, good | {"settings": DEEP}),
               (tensors, good | {"notes": "[1]"}),
               (tensors, {"settings": '"same"'}), (other, good), ({"network/weight": np.ones(3)}, good)]  # fmt: skip
    for arrays, metadata in damaged:
        path.write_bytes(save(arrays, metadata))
        with pytest.raises(WeightsError, match=r"checkpoint\.safetensors is damaged; remove it to begin again"):
            load_checkpoint(path, network, optimiser, "same")


# Results and corrections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*NOT_JSON, '{"method": 3, "modality": [], "mask": 1}'])
def test_metrics_that_are_none(tmp_path: Path, text: str) -> None:
    put(tmp_path / "run" / "metrics.json", text)
    assert modality_beside(tmp_path / "run" / "segmentation.nii.gz") == "unknown"
    with pytest.raises(FileFormatError, match=r"metrics\.json .*run `mrviewer reconstruct` again"):
        write_bids(tmp_path / "run", BidsTarget(tmp_path / "bids", "01"))
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(
    "text", ["", "lesion\n1\n", "a,b\n", "\x00", '"' + "x" * 200_000, "lesion,status\n" + "1," * 500]
)
def test_a_table_of_lesions_that_is_none(tmp_path: Path, text: str) -> None:
    put(tmp_path / "run" / "metrics.json", json.dumps({"method": "a", "modality": "FLAIR", "mask": {}}))
    put(tmp_path / "run" / "lesions.csv", text)
    with pytest.raises(FileFormatError, match=r"lesions\.csv .*run `mrviewer reconstruct` again"):
        write_bids(tmp_path / "run", BidsTarget(tmp_path / "bids", "01"))


@pytest.mark.parametrize(
    "text", [*NOT_JSON, '{"study": 1, "images": 3, "author": [], "made": "x", "source": 1, "based_on": []}']
)
def test_one_bad_correction_hides_no_good_one(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "mrviewer-corrections"
    facts = {
        "study": "a",
        "images": ["a.nii"],
        "author": "N",
        "made": "2025-01-02T03:04:05+00:00",
        "source": {},
        "based_on": {},
    }
    for name, words in {"good": json.dumps(facts), "bad": text}.items():
        put(folder / f"{name}_label.json", words)
        put(folder / f"{name}_label.nii.gz", "")
    found, unreadable = survey_corrections(tmp_path)
    assert [one.path.name for one in found] == ["good_label.nii.gz"]
    assert unreadable == ["bad_label.nii.gz has no readable .json beside it; save the correction again"]


# Caches --------------------------------------------------------------------------------------------------------------


def arrays() -> dict[str, NDArray[np.generic]]:
    return {
        "volume": np.arange(24, dtype=np.float16).reshape(2, 3, 4),
        "label": np.ones((2, 2), np.uint8),
        "none": np.zeros((0, 3)),
    }


def test_every_flipped_bit_of_prepared_data_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_sealed(path, arrays())
    assert is_sealed(path)
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    for place in range(start, len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert not is_sealed(path)
    path.write_bytes(save(arrays()))
    assert not is_sealed(path), "files of an older version have no checksum, and are made again"


def test_flipped_bits_of_archives_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays())
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            stored = read_npz(path)
        except FileFormatError:
            continue
        for name in stored.keys() & arrays().keys():
            np.testing.assert_array_equal(stored[name], arrays()[name])


def test_a_damaged_sample_patient_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = tmp_path / "mrviewer" / f"sample-{sample._VERSION}-7.npz"
    put(path, "PK\x03\x04" + "x" * 200)

    class MadeAgainError(Exception):
        pass

    def simulate(seed: int) -> None:
        raise MadeAgainError

    monkeypatch.setattr(sample, "_simulate", simulate)
    with pytest.raises(MadeAgainError):
        sample._cached_patient(7)


# Tables of experiments -----------------------------------------------------------------------------------------------


def test_a_table_that_is_like_one_that_is_not_there_is_named_too(tmp_path: Path) -> None:
    put(tmp_path / "a.toml", 'like = "gone"\n')
    with pytest.raises(FileFormatError, match=r"table a\.toml is like gone: table gone\.toml cannot be read \(No such"):
        read_table(tmp_path / "a.toml")


def test_tables_that_are_like_each_other(tmp_path: Path) -> None:
    put(tmp_path / "a.toml", 'like = "b"\n')
    put(tmp_path / "b.toml", 'like = "a"\n')
    with pytest.raises(FileFormatError, match=r"table a\.toml says that it is like itself"):
        read_table(tmp_path / "a.toml")


@pytest.mark.parametrize(
    "text",
    ["evaluation = 3", "row = 3", "training = [1]", "a = " + "[" * 3000, 'like = "../x"', "like = 3",
     "\xff", "[[row]]\nname = 3",
     "[evaluation]\nconditions = 5", "[[row]]\noptions = 3\n"],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_a_table_of_the_wrong_kind(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileFormatError, match=r"a\.toml|table a"):
        read_table(tmp_path / "a.toml")
