"""What a run started with: kept, so that it goes on with the same after an update, or a change of its database."""

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mrviewer.errors import InputError
from mrviewer.files.json_text import json_text, read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.run_folder.file_names import OPTIONS

__all__ = ["StartRecord", "read_start_record", "write_start_record"]


@dataclass(frozen=True)
class StartRecord:
    """What a run started with.

    Parameters
    ----------
    options
        All options that its recipe was made with, as typed.
    fingerprint
        Of its database.
    """

    options: dict[str, str]
    fingerprint: str


def read_start_record(run: Path) -> StartRecord | None:
    """Return what a run started with; `None` if it was not started yet.

    Raises
    ------
    InputError
        If that cannot be read.
    """
    try:
        return TypeAdapter(StartRecord).validate_python(read_json_object(run / OPTIONS, "begin a new run"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"{OPTIONS} of run {run.name} does not say what it started with; start a new run") from error


def write_start_record(run: Path, start: StartRecord) -> None:
    """Keep what a run starts with."""
    with whole_file(run / OPTIONS) as temporary:
        temporary.write_text(json_text(asdict(start), indent=1), encoding="utf-8")
