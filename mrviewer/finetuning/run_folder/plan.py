"""What a fine-tuning run is asked to do: written whole before it begins, so that it can go on from the folder alone."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mrviewer.errors import InputError
from mrviewer.files.json_text import json_text, read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.run_folder.file_names import PLAN

__all__ = ["FinetunePlan", "read_plan", "write_plan"]

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@dataclass(frozen=True)
class FinetunePlan:
    """What one run is to do.

    Parameters
    ----------
    method
        Parent: name of a method, or of a model of one's own.
    database
        Folders or specifications; see `mrviewer.database.open_database`.
    output
        Folder of the run.
    weights
        Weights to start from in place of the parent's own; empty for those.
    mapping
        `mrviewer.database.DatabaseMapping` as JSON; `None` takes the proposed one.
    validation
        Names of the validation subjects; empty splits by `validation_share`.
    validation_share
        Share of the patients that are kept for validation.
    parts
        What is trained; ``all``, or parts of the recipe.
    epochs
        Times through the database; `None` for the steps of the recipe.
    options
        Options of the recipe, as typed.
    name
        Of the new model; empty for ``METHOD-DATABASE``.
    device
        See `mrviewer.device.resolve_device`.
    modality
        Measured image, for methods on k-space; empty for the study's choice.
    acceleration, mask
        Of the sampling mask with which methods on k-space are trained most and are measured.
    validate_every
        Steps between two validations; 0 chooses them such that they take at most a fifth of the time.
    add
        Whether the new model joins the list of methods.
    """

    method: str
    database: tuple[str, ...]
    output: str
    weights: str = ""
    mapping: Mapping[str, Any] | None = None
    validation: tuple[str, ...] = ()
    validation_share: float = 0.25
    parts: tuple[str, ...] = ("all",)
    epochs: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    device: str = "auto"
    modality: str = ""
    acceleration: float = 4.0
    mask: str = "random"
    validate_every: int = 0
    add: bool = True

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return Path(self.output)

    @property
    def database_name(self) -> str:
        """Name of the first database, without its place."""
        path = Path(self.database[0])
        return path.resolve().parent.name if path.suffix.lower() == ".json" else path.name.partition(":")[0]

    @property
    def model_name(self) -> str:
        """Name of the new model, which a run without a name is given when it begins."""
        return self.name or f"{self.method}-{self.database_name}"

    def checked(self) -> "FinetunePlan":
        """Return the plan if it can be meant.

        Raises
        ------
        InputError
            If a value lies outside what it can be.
        """
        if not self.database:
            raise InputError("no database was given; name a folder of studies")
        if not self.parts:
            raise InputError("nothing is to be trained; choose a part, or all")
        if not 0 < self.validation_share < 1:
            raise InputError(f"the validation share is {self.validation_share:g}; give a number between 0 and 1")
        if self.epochs is not None and not 0 < self.epochs < math.inf:
            raise InputError(f"epochs is {self.epochs:g}; give a number above 0")
        if not 1 <= self.acceleration < math.inf:
            raise InputError(f"acceleration is {self.acceleration:g}; give a number of 1 or more")
        if self.validate_every < 0:
            raise InputError(f"a validation every {self.validate_every} steps was asked for; give 0 or more")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {**asdict(self), "options": dict(self.options)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FinetunePlan":
        """Read what `to_json` gave; fields of a later version are left out.

        Raises
        ------
        InputError
            If the parent, the database or the folder is missing, or a value is of the wrong kind.
        """
        # As JSON, in which a list may stand for a tuple and nothing else for anything else. Names of files that are no
        # text pass, but not through pydantic.
        text = _SURROGATE.sub("?", json.dumps(dict(values)))
        try:
            TypeAdapter(cls).validate_json(text, strict=True)
            names = {item.name for item in fields(cls)}
            known: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
                if name in names
            }
            return cls(**known)
        except ValidationError as error:
            raise InputError(
                f"the plan ({PLAN}) {_fault(error)}; give method, database and output, or write it anew"
            ) from error

    def moved(self, folder: Path) -> "FinetunePlan":
        """Return the same plan for a run whose folder now lies elsewhere."""
        return replace(self, output=str(folder))


def write_plan(plan: FinetunePlan) -> Path:
    """Write the plan into the folder of its run, which is made if it does not exist."""
    folder = plan.checked().folder
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / PLAN) as temporary:
        temporary.write_text(json_text(plan.to_json(), indent=1), encoding="utf-8")
    return folder / PLAN


def read_plan(path: Path) -> FinetunePlan:
    """Read a plan from its file, or from the folder of its run.

    Raises
    ------
    InputError
        If there is none, it cannot be read, or a value lies outside what it can be.
    """
    file = path / PLAN if path.is_dir() else path
    try:
        values = read_json_object(file, "write the plan anew")
    except FileNotFoundError:
        raise InputError(f"folder {path.name} holds no {PLAN}; give the folder of a run") from None
    plan = FinetunePlan.from_json(values)
    try:
        plan.checked()
    except InputError as error:
        raise InputError(f"{file.name} cannot be meant: {error}") from error
    return plan.moved(path) if path.is_dir() else plan


def _fault(error: ValidationError) -> str:
    """What is wrong with the first field that is, without its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(map(str, first["loc"][:1]))
    return f"lacks {name}" if first["type"] == "missing" else f"has an unusable {name}"
