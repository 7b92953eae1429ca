"""Own models: listed, run, carried, removed and restored; and what lies in their folder without being one."""

import errno
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mrviewer import cli, finetuning
from mrviewer.cards.seen import Seen
from mrviewer.errors import InputError, MrviewerError, UnknownNameError, WeightsError
from mrviewer.finetuning import model_removal, remove_model
from mrviewer.geometry import Geometry
from mrviewer.method import Method
from mrviewer.methods.chain import Chain
from mrviewer.methods.own import (
    add_model,
    export_model,
    import_model,
    own_models,
    own_models_folder,
    removed_model_names,
    restore_model,
    suggest_model_name,
    transfer,
)
from mrviewer.methods.registry import get_method, list_methods, method_names
from mrviewer.methods.weights import Weights, load_weights, read_about, save_weights
from mrviewer.progress import finish
from mrviewer.sampling import installed_patterns
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training.recipe import Trainable
from mrviewer.writers.nifti import write_volume

LINEAGE: dict[str, object] = {
    "parent": "unet-full",
    "parent_sha256": "0" * 64,
    "database": "ward_7",
    "database_fingerprint": "1" * 64,
    "subjects": {"training": ["Miller", "Smith"], "validation": ["Jones"]},
    "options": {"epochs": "3"},
    "parts": ["all"],
    "before": {"segmentation": {"dice": 0.125, "hd95_mm": None}},
    "after": {"segmentation": {"dice": 0.75, "hd95_mm": None}},
    "verdict": "better",
    "made": "2025-01-02T03:04:05+00:00",
}
MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of own models."""
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Give the weights of a run that is over, half of them in half precision as runs leave them."""

    def make(method: str = "unet-full", name: str = "run", seed: int = 0, **about: object) -> Path:
        torch.manual_seed(seed)
        trained = get_method(method)
        assert isinstance(trained, Trainable)
        recipe = trained.recipe({"preset": "tiny"})
        state = {key: value.half() if value.ndim > 1 else value for key, value in recipe.network().state_dict().items()}
        path = tmp_path / name / "weights.safetensors"
        path.parent.mkdir(exist_ok=True)
        card = {"method": method, "recipe": {"shape": asdict(recipe.options.shape)}, "lineage": LINEAGE, **about}
        save_weights(path, Weights(state, card))
        return path

    return make


def outputs(method: Method) -> list[np.ndarray]:
    result = finish(method.run(sample_measurement(method, (2, 24, 20))))
    return [array for array in (result.image, result.segmentation, result.probabilities) if array is not None]


def same(first: Method, second: Method) -> bool:
    return all(np.array_equal(*pair) for pair in zip(outputs(first), outputs(second), strict=True))


def test_a_new_model_is_a_method_at_once(make_run: MakeRun) -> None:
    before = method_names()
    made = add_model(make_run(), "ward-seven")
    assert method_names() == (*before, "ward-seven")
    assert [method.card.name for method in list_methods()][-1] == "ward-seven"
    assert made == get_method("ward-seven")
    check_method(get_method("ward-seven"))


def test_its_card_tells_where_it_comes_from(make_run: MakeRun) -> None:
    card = add_model(make_run(), "ward-seven").card
    usual = get_method("unet-full").card
    assert (card.parent, card.weights) == ("unet-full", "ward-seven.safetensors")
    assert (card.tasks, card.needs, card.classes, card.citation) == (
        usual.tasks, usual.needs, usual.classes, usual.citation,
    )  # fmt: skip
    assert card.trained_on == f"{usual.trained_on}; then 2 subject(s) of ward_7"
    assert "Dice 0.750 (before 0.125)" in card.figures[0]
    assert "better" in card.figures[1]
    assert not set(usual.figures) & set(card.figures), "figures of other weights"
    assert (card.held_out, card.tuned, card.trained_for) == ((), None, None)
    assert card.seen == Seen(), "other images than the shipped weights saw"
    assert "fine-tuned from unet-full on ward_7; not checked by anybody else" in card.limits[0]
    assert card.limits[2:] == tuple(f"Of unet-full as it is shipped: {limit}" for limit in usual.limits)
    assert "Miller" not in str(card)


def test_it_fits_by_the_needs_of_its_own(make_run: MakeRun) -> None:
    needs = {"modalities": ["ADC"], "max_coils": None, "whole_volume": True}
    method = add_model(make_run(needs=needs, classes=["infarct"]), "on-adc")
    assert method.card.classes == ("infarct",)
    assert method.card.needs == replace(
        get_method("unet-full").card.needs, modalities=("ADC",), max_coils=None, whole_volume=True
    )
    assert sample_measurement(method).modality == "ADC"


def test_weights_that_were_trained_from_the_beginning_may_be_added(make_run: MakeRun) -> None:
    path = make_run(lineage={}, trained_on=["a", "b", "c"])
    card = add_model(path, "from-nothing").card
    assert card.trained_on == "3 subject(s) of a database that was not named"
    assert card.parent == "unet-full"
    assert not card.figures


def test_a_model_of_a_model_needs_its_parent_no_more(make_run: MakeRun) -> None:
    add_model(make_run(), "first")
    second = add_model(make_run(method="unet-full", lineage={**LINEAGE, "parent": "first"}), "second")
    assert second.card.parent == "first"
    # What trained by the name of an own model says that name.
    path = make_run(name="third")
    loaded = load_weights(path)
    save_weights(path, Weights(loaded.tensors, {**loaded.about, "method": "first"}))
    add_model(path, "third")
    remove_model("first")
    assert {"second", "third"} <= set(method_names())
    assert same(get_method("second"), get_method("third"))


def test_what_the_parent_saw_stays_known(make_run: MakeRun) -> None:
    first = add_model(make_run(), "first").card
    [parent] = own_models()
    digest = sha256(parent.path.read_bytes()).hexdigest()
    lineage = {**LINEAGE, "parent": "first", "parent_sha256": digest, "database": ["ward_8"]}
    add_model(make_run(lineage=lineage), "second")
    add_model(make_run(lineage={**lineage, "parent_sha256": "2" * 64}), "of-another-first")
    remove_model("first")
    assert get_method("second").card.trained_on == f"{first.trained_on}; then 2 subject(s) of ward_8"
    assert "ward_7" not in str(get_method("of-another-first").card.trained_on)


def test_chains_end_and_begin_with_own_models(make_run: MakeRun) -> None:
    add_model(make_run(), "segments")
    add_model(make_run(method="d5c5", name="other"), "reconstructs")
    chain = get_method("reconstructs+segments")
    assert isinstance(chain, Chain)
    assert chain.card.name == "reconstructs+segments"
    assert len(outputs(chain)) == 3


def test_the_run_folder_and_the_own_model_give_the_same_bits(make_run: MakeRun) -> None:
    path = make_run()
    parent = get_method("unet-full")
    assert isinstance(parent, Trainable)
    assert same(parent.with_weights(path), add_model(path, "same"))


def test_export_and_import_give_the_same_bits_elsewhere(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = outputs(add_model(make_run(), "ward-seven"))
    file = export_model("ward-seven", tmp_path / "for-a-friend")
    assert file == tmp_path / "for-a-friend.safetensors"
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "elsewhere"))
    assert "ward-seven" not in method_names()
    there = import_model(file)
    assert there.card.name == "ward-seven"
    assert all(np.array_equal(*pair) for pair in zip(here, outputs(there), strict=True))
    assert import_model(file, "again").card.name == "again"


def test_a_file_is_replaced_once_the_new_one_is_whole(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(make_run(), "mine")
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"another model")
    with pytest.raises(InputError, match=r"there is a file mine\.safetensors already"):
        export_model("mine", file)

    def full(path: Path, weights: Weights) -> None:
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "save_weights", full)
        with pytest.raises(MrviewerError, match=r"cannot be written \(No space left on device\)"):
            export_model("mine", file, replace_file=True)
    assert file.read_bytes() == b"another model"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert import_model(export_model("mine", file, replace_file=True), "again").card.name == "again"


def test_names_of_subjects_travel_only_when_asked(make_run: MakeRun, tmp_path: Path) -> None:
    add_model(make_run(trained_on=["Miller", "Smith"]), "ward-seven")
    quiet = read_about(export_model("ward-seven", tmp_path / "quiet.safetensors"))
    assert not [name for name in ("Miller", "Smith", "Jones") if name in json.dumps(quiet)]
    assert quiet["lineage"]["subjects"] == {"training": ["training 1", "training 2"], "validation": ["validation 1"]}  # type: ignore[index]
    told = read_about(export_model("ward-seven", tmp_path / "told.safetensors", subject_names=True))
    assert told["lineage"] == LINEAGE


def test_folders_do_not_stand_in_a_model(make_run: MakeRun, tmp_path: Path) -> None:
    options = {"start_from": str(tmp_path / "weights.safetensors"), "epochs": "3"}
    add_model(make_run(lineage={**LINEAGE, "options": options, "database": [str(tmp_path)]}), "ward-seven")
    [model] = own_models()
    assert str(tmp_path.parent) not in json.dumps(dict(model.about))
    assert model.lineage["options"] == {"start_from": "weights.safetensors", "epochs": "3"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "needs a name"),
        ("  ", "needs a name"),
        ("d5c5", "name of an installed method"),
        ("taken", "there is a model 'taken' already"),
        ("../other", "try 'other'"),
        ("a/b", "try 'a-b'"),
        ("a+b", "try 'a-b'"),
        ("Ward 7", "try 'ward-7'"),
        (".hidden", "try 'hidden'"),
        ("x" * 200, "at most 80"),
        ("$", "lower-case letters"),
    ],
)
def test_names_that_cannot_be_are_refused(name: str, reason: str, make_run: MakeRun, folder: Path) -> None:
    add_model(make_run(), "taken")
    with pytest.raises(InputError, match=reason):
        add_model(make_run(), name)
    assert [path.name for path in folder.iterdir()] == ["taken.safetensors"]


def test_names_are_suggested_that_are_free(make_run: MakeRun) -> None:
    assert suggest_model_name("multiunet", "hippocampus_msd") == "multiunet-hippocampus-msd"
    assert suggest_model_name("d5c5") == "d5c5-2"
    add_model(make_run(), "unet-full-ward-7")
    assert suggest_model_name("unet-full", "Ward 7") == "unet-full-ward-7-2"
    assert suggest_model_name("+++") == "model"


def test_weights_of_another_architecture_are_refused(make_run: MakeRun) -> None:
    path = make_run()
    loaded = load_weights(path)
    for about in (
        {**loaded.about, "method": "d5c5"},
        {**loaded.about, "recipe": {"shape": 3}},
        {**loaded.about, "recipe": {"shape": {"unet": "wide"}}},
    ):
        save_weights(path, Weights(loaded.tensors, about))
        with pytest.raises(WeightsError, match=r"weights\.safetensors .*; give weights"):
            import_model(path, "other")
    lacking = dict(list(loaded.tensors.items())[1:])
    save_weights(path, Weights(lacking, loaded.about))
    with pytest.raises(WeightsError, match="does not fit"):
        import_model(path, "other")
    assert not own_models_folder().exists()


def test_what_is_no_model_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    foreign, damaged, empty = (tmp_path / f"{name}.safetensors" for name in ("foreign", "damaged", "empty"))
    save_file({"a": torch.zeros(2)}, foreign)
    damaged.write_bytes(make_run().read_bytes()[:2000])
    empty.touch()
    unknown, nobody = make_run(name="unknown", method="unet-full"), tmp_path / "nobody.safetensors"
    loaded = load_weights(unknown)
    save_weights(unknown, Weights(loaded.tensors, {**loaded.about, "method": "nothing-like-it"}))
    save_weights(nobody, Weights(loaded.tensors, {}))
    classical = tmp_path / "classical.safetensors"
    save_weights(classical, Weights({}, {"method": "zero-filled"}))
    infinite = make_run(name="infinite")
    tensors = {name: tensor.fill_(float("nan")) if tensor.ndim > 1 else tensor for name, tensor in
               load_weights(infinite).tensors.items()}  # fmt: skip
    save_weights(infinite, Weights(tensors, loaded.about))
    for path, reason in (
        (foreign, "no mrviewer card"),
        (damaged, "not a readable safetensors file"),
        (empty, "not a readable safetensors file"),
        (unknown, "'nothing-like-it', which is not installed"),
        (nobody, "does not say to which method"),
        (classical, "takes no other weights"),
        (infinite, "not finite"),
        (tmp_path / "lost.safetensors", "are not there"),
    ):
        for name in ("new", None):
            with pytest.raises(MrviewerError, match=reason):
                import_model(path, name)
    assert not own_models_folder().exists()


@pytest.mark.parametrize("about", [{"needs": {"magic": True}}, {"needs": 3}, {"classes": 5}, {"classes": [1]}])
def test_a_card_that_is_not_understood_leaves_nothing(
    about: dict[str, object], make_run: MakeRun, folder: Path
) -> None:
    path = make_run(**about)
    for name in ("new", None):
        with pytest.raises(WeightsError, match=r"weights\.safetensors .* not understood"):
            import_model(path, name)
    assert not folder.exists()
    add_model(make_run(), "model")
    removed = remove_model("model")
    loaded = load_weights(removed)
    save_weights(removed, Weights(loaded.tensors, {**loaded.about, **about}))
    with pytest.raises(WeightsError, match="not understood"):
        restore_model("model")
    assert removed_model_names() == ("model",)
    assert not (folder / "model.safetensors").exists()


def test_what_lies_in_the_folder_never_breaks_the_list(
    make_run: MakeRun, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_model(make_run(), "good")
    whole = (folder / "good.safetensors").read_bytes()
    (folder / "damaged.safetensors").write_bytes(whole[:500])
    (folder / "d5c5.safetensors").write_bytes(whole)
    (folder / "Not A Name.safetensors").write_bytes(whole)
    (folder / "folder.safetensors").mkdir()
    (folder / "gone.safetensors").symlink_to(folder / "nowhere")
    (folder / "notes.txt").write_text("mine")
    loaded = load_weights(folder / "good.safetensors")
    for name, about in (("needy", {"needs": 3}), ("needy-two", {"needs": {"kspace": "no"}}), ("lost", {"method": "x"}),
                        ("classy", {"classes": [1]}), ("odd", {"lineage": []})):  # fmt: skip
        save_weights(folder / f"{name}.safetensors", Weights(loaded.tensors, {**loaded.about, **about}))
    with caplog.at_level(logging.WARNING):
        own = [name for name in method_names() if get_method(name).card.parent]
    assert own == ["good"]
    assert [method.card.name for method in list_methods() if method.card.parent] == ["good"]
    for name in ("damaged", "d5c5", "Not A Name", "needy", "needy-two", "lost", "classy", "odd"):
        assert f"{name}.safetensors" in caplog.text
    with pytest.raises(UnknownNameError, match="there is no method 'damaged'"):
        get_method("damaged")


def test_a_replaced_file_is_noticed(make_run: MakeRun, folder: Path) -> None:
    add_model(make_run(), "model")
    first = outputs(get_method("model"))
    other = add_model(make_run(seed=1, name="other"), "other")
    (folder / "other.safetensors").replace(folder / "model.safetensors")
    assert not all(np.array_equal(*pair) for pair in zip(first, outputs(get_method("model")), strict=True))
    assert "other" not in method_names()
    with pytest.raises(WeightsError, match="are not there"):
        outputs(other)


def test_removing_can_be_undone(make_run: MakeRun, folder: Path) -> None:
    add_model(make_run(), "model")
    first = (folder / "model.safetensors").read_bytes()
    remove_model("model")
    assert "model" not in method_names()
    assert removed_model_names() == ("model",)
    add_model(make_run(seed=1), "model")
    with pytest.raises(InputError, match="there is a model 'model' already"):
        restore_model("model")
    remove_model("model")
    restore_model("model")
    assert (folder / "model.safetensors").read_bytes() != first, "the last one comes back first"
    remove_model("model")
    for path in sorted((folder / "removed").iterdir())[1:]:
        path.unlink()
    assert restore_model("model") == get_method("model")
    assert (folder / "model.safetensors").read_bytes() == first
    with pytest.raises(InputError, match="no removed model is called 'model'; none was removed"):
        restore_model("model")


@pytest.mark.parametrize("name", ["nothing", "", "../other", "d5c5"])
def test_only_own_models_can_be_removed_or_exported(name: str, tmp_path: Path) -> None:
    for job in (remove_model, lambda name: export_model(name, tmp_path / "file")):
        with pytest.raises(InputError, match=f"there is no model '{name}' of your own"):
            job(name)
    with pytest.raises(InputError, match="no removed model is called"):
        restore_model(name)


def test_a_damaged_model_can_be_removed(make_run: MakeRun, folder: Path) -> None:
    add_model(make_run(), "model")
    (folder / "model.safetensors").write_bytes(b"nothing")
    assert remove_model("model").read_bytes() == b"nothing"


def test_a_model_is_not_removed_from_under_a_run(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    add_model(make_run(), "model")
    run = SimpleNamespace(
        path=Path("runs/second"), plan=SimpleNamespace(method="model"), state=finetuning.RunState.PAUSED
    )
    monkeypatch.setattr(model_removal, "list_runs", lambda: [run])
    with pytest.raises(InputError, match="the run second is fine-tuning 'model'; stop it first"):
        remove_model("model")
    run.state = finetuning.RunState.FINISHED
    remove_model("model")


def test_nothing_is_written_over(make_run: MakeRun, tmp_path: Path, folder: Path) -> None:
    add_model(make_run(), "model")
    file = export_model("model", tmp_path / "file.safetensors")
    content = file.read_bytes()
    with pytest.raises(InputError, match=r"there is a file file\.safetensors already"):
        export_model("model", file)
    assert file.read_bytes() == content
    with pytest.raises(InputError, match="folder nowhere does not exist"):
        export_model("model", tmp_path / "nowhere" / "file")
    assert not [path for path in (*tmp_path.iterdir(), *folder.iterdir()) if path.name.startswith(".")]


def test_a_folder_that_cannot_be_written_is_named(make_run: MakeRun, folder: Path) -> None:
    folder.write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match=r"folder models cannot be written \(File exists\)"):
        add_model(make_run(), "model")
    assert "d5c5" in method_names()


def test_a_full_disk_leaves_nothing(make_run: MakeRun, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrviewer.methods.own import transfer

    def full(path: Path, weights: Weights) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    path = make_run()
    monkeypatch.setattr(transfer, "save_weights", full)
    with pytest.raises(InputError, match=r"folder models cannot be written \(No space left on device\)"):
        add_model(path, "model")
    assert not list(folder.iterdir())


def test_learned_masks_of_an_own_model_go_by_its_name(make_run: MakeRun) -> None:
    add_model(make_run(method="semunet"), "own-masks")
    assert {pattern.method for pattern in installed_patterns("learned:own-masks")} == {"own-masks"}


@pytest.mark.slow
def test_listing_own_models_needs_no_torch(make_run: MakeRun, folder: Path) -> None:
    add_model(make_run(), "model")
    script = "import sys, mrviewer.methods.registry as m; print(m.list_methods()[-1].card.name, 'torch' in sys.modules)"
    listed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert listed.stdout.split() == ["model", "False"]


def test_the_commands(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        return code, *capsys.readouterr()

    assert run("models")[0] == 0
    path, file = str(make_run()), str(tmp_path / "file.safetensors")
    assert run("models", "import", path, "--name", "model")[0] == 0
    code, out, _ = run("models", "--json")
    [record] = json.loads(out)
    assert (code, record["name"], record["parent"], record["database"]) == (0, "model", "unet-full", "ward_7")
    assert record["lineage"] == LINEAGE
    [listed] = [one for one in json.loads(run("methods", "--json")[1]) if one["name"] == "model"]
    assert (listed["parent"], listed["weights"]) == ("unet-full", "model.safetensors")
    assert "unet-full" in run("methods")[1]
    assert run("models", "export", "model", file)[0] == 0
    assert run("models", "remove", "model")[0] == 0
    assert "model" in run("models")[2], "says what can be restored"
    assert run("models", "restore", "model")[0] == 0
    code, out, err = run("models", "import", file)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert run("models", "nonsense")[0] == 2


def test_reconstruct_runs_an_own_model(make_run: MakeRun, tmp_path: Path) -> None:
    add_model(make_run(), "model")
    output, image = tmp_path / "out", tmp_path / "FLAIR.nii.gz"
    values = np.random.default_rng(0).random((3, 24, 20))
    write_volume(image, values, Geometry.axial((3, 24, 20), (5.0, 1.0, 1.0)))
    options = ["--mask", "random", "--acceleration", "4", "--output", str(output), "--device", "cpu"]
    assert cli.main(["reconstruct", str(image), "--method", "zero-filled+model", *options]) == 0
    assert json.loads((output / "metrics.json").read_text())["method"] == "zero-filled+model"
