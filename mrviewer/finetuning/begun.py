"""With what a run was begun: kept, so that it goes on with the same after an update, or a change of its database."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.finetuning.files import OPTIONS
from mrviewer.writers.whole import whole_file

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
        return Begun(**json.loads((run / OPTIONS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{OPTIONS} of run {run.name} cannot be read ({error}); begin a new run") from error


def write_begun(run: Path, begun: Begun) -> None:
    """Keep what a run is begun with."""
    with whole_file(run / OPTIONS) as temporary:
        temporary.write_text(json.dumps(asdict(begun), indent=1), encoding="utf-8")
