"""Taking an own model out of the methods so that it can be put back."""

from datetime import UTC, datetime
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.files.new_file import claim_name
from mrviewer.method import Method
from mrviewer.methods.own.model_names import ENDING, check_model_name, is_model_name, model_path, removed_folder
from mrviewer.methods.own.own_methods import method_of, own_method
from mrviewer.methods.own.weights_record import read_own_model

__all__ = ["removed_model_names", "restore_model", "take_out_model"]

_SIGN = "@"


def take_out_model(name: str) -> Path:
    """Move an own model to the folder of the removed ones; models that were made from it need it no more.

    Runs are not looked at: `mrviewer.finetuning.remove_model` refuses while one is fine-tuning it.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    InputError
        If there is no such model, or the folder cannot be written.
    """
    path = model_path(name)
    if not is_model_name(name) or not path.is_file():
        raise InputError(f"there is no model {name!r} of your own; `mrviewer models` lists them")
    try:
        removed_folder().mkdir(parents=True, exist_ok=True)
        return _moved(path, datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
    except OSError as error:
        raise InputError(
            f"the model {name!r} cannot be removed ({error.strerror}); see that its folder can be written"
        ) from error


def restore_model(name: str) -> Method:
    """Put back the model of that name that was removed last.

    Raises
    ------
    InputError
        If none of that name was removed, or the name is taken by now.
    """
    found = _removed(name)
    if not found:
        there = ", ".join(removed_model_names())
        advice = f"removed are {there}" if there else "none was removed"
        raise InputError(f"no removed model is called {name!r}; {advice}")
    check_model_name(name)
    # What cannot be run stays where it is.
    method_of(read_own_model(found[-1]))
    try:
        claim_name(found[-1], model_path(name))
    except OSError as error:
        raise InputError(
            f"the model {name!r} cannot be restored ({error.strerror}); see that its folder can be written"
        ) from error
    return own_method(name)


def removed_model_names() -> tuple[str, ...]:
    """Names of the models that can be restored."""
    paths = removed_folder().glob(f"*{_SIGN}*{ENDING}")
    return tuple(sorted({path.name.partition(_SIGN)[0] for path in paths if not path.name.startswith(".")}))


def _removed(name: str) -> list[Path]:
    """Removed files of one name, the last one at the end."""
    return sorted(removed_folder().glob(f"{name}{_SIGN}*{ENDING}")) if is_model_name(name) else []


def _moved(path: Path, time: str) -> Path:
    target = removed_folder() / f"{path.name.removesuffix(ENDING)}{_SIGN}{time}{ENDING}"
    claim_name(path, target)
    return target
