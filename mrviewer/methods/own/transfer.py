"""Putting a model among one's own, and carrying it from one installation to another."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath

from mrviewer.errors import InputError, WeightsError
from mrviewer.files.new_file import new_file
from mrviewer.files.whole_file import whole_file
from mrviewer.method import Method
from mrviewer.methods.installed import installed_names
from mrviewer.methods.own.model_names import ENDING, check_model_name, model_path, own_models_folder, suggest_model_name
from mrviewer.methods.own.own_methods import adaptable_method, method_of, own_method
from mrviewer.methods.own.weights_record import find_own_model, read_own_model
from mrviewer.methods.weights import Weights, load_weights, save_weights

__all__ = ["add_model", "export_model", "import_model"]


def add_model(weights: Path, name: str) -> Method:
    """Copy the weights of a run to the own models; the methods list has it at once.

    Parameters
    ----------
    weights
        A safetensors file whose ``about`` says its ``method``, and its ``lineage`` if it was fine-tuned.
    name
        Lower-case letters, digits and hyphens; see `suggest_model_name`.

    Returns
    -------
    Method
        What `mrviewer.methods.registry.get_method` gives for `name`.

    Raises
    ------
    InputError
        If the name is taken or cannot be one, or the folder cannot be written.
    WeightsError
        If the file is damaged, or its weights are of another architecture than its method's, or not finite.
    """
    check_model_name(name)
    weights = Path(weights)
    loaded = load_weights(weights)
    base = _base_method(weights)
    _refuse_not_finite(loaded, weights.name)
    # What cannot be run is refused before anything is written.
    method_of(replace(read_own_model(weights), method=base))
    adaptable_method(base, weights.name).check_weights(weights)
    about = {**_trained_before(loaded.about), **loaded.about, "name": name, "method": base}
    folder = own_models_folder()
    with _in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with new_file(model_path(name)) as temporary:
                save_weights(temporary, Weights(loaded.tensors, _without_folders(about)))
        except FileExistsError:
            raise InputError(f"there is a model {name!r} already; choose another name") from None
    return own_method(name)


def export_model(name: str, file: Path, *, subject_names: bool = False, replace_file: bool = False) -> Path:
    """Write an own model as one file that `import_model` of another installation takes.

    Parameters
    ----------
    name
        Of an own model.
    file
        To write; ``.safetensors`` is added where the name does not end so.
    subject_names
        Whether the names of the subjects travel too. Otherwise they are replaced by numbers, for such names are often
        those of folders in a hospital.
    replace_file
        Whether a file that is there already is replaced, once the new one is whole.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If there is no such model, or the file is there already or cannot be written.
    """
    model = find_own_model(name)
    if model is None:
        raise InputError(f"there is no model {name!r} of your own; `mrviewer models` lists them")
    file = Path(file)
    file = file if file.name.endswith(ENDING) else file.with_name(file.name + ENDING)
    if not file.parent.is_dir():
        raise InputError(f"folder {file.parent.name} does not exist, so {file.name} cannot be written; make it first")
    loaded = load_weights(model.path)
    about = {**loaded.about, "name": name}
    with _in_words(file.parent):
        try:
            with (whole_file if replace_file else new_file)(file) as temporary:
                save_weights(temporary, Weights(loaded.tensors, about if subject_names else _without_names(about)))
        except FileExistsError:
            raise InputError(f"there is a file {file.name} already; choose another name") from None
    return file


def import_model(file: Path, name: str | None = None) -> Method:
    """Put a model from another installation, or the weights of a run, among one's own.

    Parameters
    ----------
    file
        A safetensors file; it is read as data, nothing in it is executed.
    name
        What to call it; by default what it was called where it comes from, if that is free.

    Raises
    ------
    InputError, WeightsError
        See `add_model`.
    """
    file = Path(file)
    if name is None:
        about = read_own_model(file).about if file.is_file() else {}
        given = about.get("name")
        name = given if isinstance(given, str) and given else suggest_model_name(file.name.removesuffix(ENDING))
    return add_model(file, name)


def _base_method(weights: Path) -> str:
    """Installed method behind a file, which may have been trained from an own model."""
    method = read_own_model(weights).method
    own = None if method in installed_names() else find_own_model(method)
    base = method if own is None else own.method
    if base not in installed_names():
        raise WeightsError(
            f"{weights.name} belongs to the method {base!r}, which is not installed; installed are "
            f"{', '.join(sorted(installed_names()))}"
        )
    return base


def _trained_before(about: Mapping[str, object]) -> dict[str, str]:
    """What the parent was trained on, if that is one of the own models: it may be removed, and this must stay known."""
    lineage = about.get("lineage")
    parent = find_own_model(str(lineage.get("parent"))) if isinstance(lineage, dict) else None
    if parent is None or not isinstance(lineage, dict):
        return {}
    with parent.path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != lineage.get("parent_sha256"):
            return {}
    return {"trained_before": own_method(parent.name).card.trained_on or ""}


def _refuse_not_finite(weights: Weights, file: str) -> None:
    for name, tensor in weights.tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise WeightsError(
                f"{file} holds values in {name!r} that are not finite; give weights of a run that ended well"
            )


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Say in one sentence why a folder cannot be written."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"folder {folder.name} cannot be written ({why}); make room or choose another one") from error


def _without_folders(value: object) -> dict[str, object]:
    """The same with every absolute path shortened to its last name; folders are nobody's business."""
    assert isinstance(value, dict)
    return {str(key): _shortened(item) for key, item in value.items()}


def _shortened(value: object) -> object:
    if isinstance(value, str):
        return PurePath(value).name if PurePath(value).is_absolute() else value
    if isinstance(value, dict):
        return _without_folders(value)
    return [_shortened(item) for item in value] if isinstance(value, list | tuple) else value


def _without_names(about: Mapping[str, object]) -> dict[str, object]:
    """What a file says of itself, with numbers in place of the names of subjects."""
    told = dict(about)
    if isinstance(told.get("trained_on"), list):
        told["trained_on"] = _numbered(told["trained_on"], "training")
    lineage = told.get("lineage")
    if isinstance(lineage, dict) and isinstance(lineage.get("subjects"), dict):
        subjects = {part: _numbered(names, part) for part, names in lineage["subjects"].items()}
        told["lineage"] = {**lineage, "subjects": subjects}
    return told


def _numbered(names: object, part: str) -> object:
    return [f"{part} {number}" for number in range(1, len(names) + 1)] if isinstance(names, list) else names
