"""Where a person's own models lie, and what they may be called."""

import os
import re
from pathlib import Path

from platformdirs import user_data_path

from mrviewer.errors import InputError
from mrviewer.files.portable_names import is_reserved, require_portable
from mrviewer.methods.installed import installed_names

__all__ = [
    "ENDING",
    "check_model_name",
    "is_model_name",
    "model_path",
    "own_models_folder",
    "removed_folder",
    "suggest_model_name",
]

ENDING = ".safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def own_models_folder() -> Path:
    """Folder of own models: the variable ``MRVIEWER_MODELS``, else ``models`` among the user's data; may not exist."""
    given = os.environ.get("MRVIEWER_MODELS")
    return Path(given).expanduser() if given else user_data_path("mrviewer", appauthor=False) / "models"


def removed_folder() -> Path:
    """Folder of models that were removed and can be restored; may not exist."""
    return own_models_folder() / "removed"


def model_path(name: str) -> Path:
    """File of an own model, whether it is there or not."""
    return own_models_folder() / f"{name}{ENDING}"


def is_model_name(name: str) -> bool:
    """Whether a name has the form of a method's: lower-case letters, digits and hyphens."""
    return _NAME.fullmatch(name) is not None


def check_model_name(name: str) -> None:
    """Refuse what cannot be the name of a new model.

    Raises
    ------
    InputError
        If it is empty, of another form than a method's name, that of a device of Windows or of an installed method, or
        taken.
    """
    if not name.strip():
        raise InputError("a model needs a name; give one of lower-case letters, digits and hyphens")
    if not is_model_name(name):
        slug = _slug(name)
        advice = f"; try {slug!r}" if slug else ""
        raise InputError(
            f"the name {name[:100]!r} of a model must be at most 80 lower-case letters, digits and hyphens{advice}"
        )
    require_portable(name, "a model")
    if name in installed_names():
        raise InputError(f"{name!r} is the name of an installed method; choose another name for the model")
    if model_path(name).exists():
        raise InputError(f"there is a model {name!r} already; choose another name, or remove that one first")


def suggest_model_name(*words: str) -> str:
    """A free name made from some words, such as a method and a database.

    ``("multiunet", "hippocampus_msd")`` gives ``multiunet-hippocampus-msd``, with a number behind it if that is taken.
    """
    slug = _slug("-".join(words)) or "model"
    slug = f"model-{slug}" if is_reserved(slug) else slug
    for number in range(1, 10_000):
        name = slug if number == 1 else f"{slug[:74]}-{number}"
        try:
            check_model_name(name)
        except InputError:
            continue
        return name
    raise InputError(f"there are too many models called {slug!r}; choose a name")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80].rstrip("-")
