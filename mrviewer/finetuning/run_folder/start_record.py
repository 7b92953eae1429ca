"""With what a run was begun: kept, so that it goes on with the same after an update, or a change of its database."""

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mrviewer.errors import InputError
from mrviewer.files.json_text import json_text, read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.run_folder.file_names import OPTIONS

__all__ = ["Begun", "read_begun", "write_begun"]


@dataclass(frozen=True)
class Begun:
    """What a run was begun with.

    Parameters
    ----------
    options
        All options that its recipe was made with, as typed.
    fingerprint
        Of its database.
    """

    options: dict[str, str]
    fingerprint: str


def read_begun(run: Path) -> Begun | None:
    """Return what a run was begun with; `None` if it was not begun yet.

    Raises
    ------
    InputError
        If that cannot be read.
    """
    try:
        return TypeAdapter(Begun).validate_python(read_json_object(run / OPTIONS, "begin a new run"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"{OPTIONS} of run {run.name} does not say with what it was begun; begin a new run") from error


def write_begun(run: Path, begun: Begun) -> None:
    """Keep what a run is begun with."""
    with whole_file(run / OPTIONS) as temporary:
        temporary.write_text(json_text(asdict(begun), indent=1), encoding="utf-8")
