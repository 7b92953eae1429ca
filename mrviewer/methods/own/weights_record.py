"""What the file of an own model says of itself, read without torch and without trust."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mrviewer.errors import WeightsError
from mrviewer.methods.installed import installed_names
from mrviewer.methods.own.model_names import ENDING, is_model_name, own_models_folder
from mrviewer.methods.weights import read_about
from mrviewer.system.reasons import reason_of

__all__ = ["OwnModel", "find_own_model", "own_models", "read_own_model"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class OwnModel:
    """One file in the folder of own models.

    Parameters
    ----------
    name
        The file's name without its ending.
    path
        The file.
    method
        Name of the installed method whose network it is.
    lineage
        Where it comes from, as its run wrote it: ``parent``, ``parent_sha256``, ``database``,
        ``database_fingerprint``, ``subjects`` (``training``, ``validation``), ``options``, ``parts``, ``before``,
        ``after``, ``verdict``, ``made`` (ISO date) and ``version``; empty if nobody did.
    about
        Everything that the file says of itself.
    """

    name: str
    path: Path
    method: str
    lineage: Mapping[str, object] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def parent(self) -> str:
        """Model or method that it was fine-tuned from; the method itself if it was trained from the beginning."""
        parent = self.lineage.get("parent")
        return parent if isinstance(parent, str) and parent else self.method


def own_models() -> tuple[OwnModel, ...]:
    """Every model in the folder, by name; what is no model there is left out, and a line of the log says so."""
    try:
        paths = sorted(own_models_folder().glob(f"*{ENDING}"))
    except OSError as error:
        _logger.warning("the folder of own models cannot be read: %s", reason_of(error))
        return ()
    found = [_read_quietly(path) for path in paths if not path.name.startswith(".")]
    return tuple(model for model in found if model is not None)


def find_own_model(name: str) -> OwnModel | None:
    """The model of that name; `None` if there is none that can be read."""
    path = own_models_folder() / f"{name}{ENDING}"
    return _read_quietly(path) if is_model_name(name) and path.is_file() else None


def read_own_model(path: Path) -> OwnModel:
    """Read what a file says of itself.

    Raises
    ------
    WeightsError
        If it is damaged, not of this program, or does not say to which method it belongs.
    """
    about = read_about(path)
    method, lineage = about.get("method"), about.get("lineage", {})
    if not isinstance(method, str) or not is_model_name(method) or not isinstance(lineage, dict):
        raise WeightsError(f"{path.name} does not say to which method it belongs; give weights that mrviewer trained")
    return OwnModel(path.name.removesuffix(ENDING), path, method, lineage, about)


def _read_quietly(path: Path) -> OwnModel | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return _read(path, facts.st_mtime_ns, facts.st_size, facts.st_ino)


@lru_cache(maxsize=1024)
def _read(path: Path, *version: int) -> OwnModel | None:
    """Read a version of a file once; a warning about it is given once, too."""
    del version
    name = path.name.removesuffix(ENDING)
    try:
        model = read_own_model(path)
    except WeightsError as error:
        _logger.warning("left out of the methods: %s", reason_of(error))
        return None
    if not is_model_name(name) or name in installed_names():
        _logger.warning("left out of the methods: %s has the name of another method, or none; rename it", path.name)
        return None
    if model.method not in installed_names():
        _logger.warning("left out of the methods: %s belongs to a method that is not installed", path.name)
        return None
    return model
