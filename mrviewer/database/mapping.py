"""What the channels and labels of a database mean to a method: proposed by the program, decided by a person."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrviewer.errors import FileFormatError, InputError
from mrviewer.files.json_text import read_json_object

__all__ = ["DatabaseMapping", "read_mapping"]

_LARGEST_LABEL = 2**31 - 1
_ADVICE = "write one with mrviewer database --mapping"


@dataclass(frozen=True)
class DatabaseMapping:
    """What the channels and labels of a database mean.

    Parameters
    ----------
    modalities
        Modality by source channel: ``FLAIR``, ``T1``, ... or free text; empty text leaves the channel out.
    label
        Which label source is the truth; `None` if no labels are used.
    label_values
        Class of the method (0 is background, 1 the lesion or structure, ...) by value in the file. A value that is not
        named is of class 1 where every named one above 0 is, and refused otherwise.
    excluded
        Names of subjects that are left out.
    voxel_mm : (z, y, x)
        Edges of a voxel in place of those in headers that cannot be true; `None` believes the headers.
    """

    modalities: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    label_values: Mapping[int, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    voxel_mm: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        edges = self.voxel_mm
        if edges is not None and not (len(edges) == 3 and min(edges) > 0 and all(map(math.isfinite, edges))):
            raise InputError(f"the voxel size is {self.voxel_mm}; give three lengths above 0 in mm, z, y and x")
        large = [one for pair in self.label_values.items() for one in pair if abs(one) > _LARGEST_LABEL]
        if large:
            raise InputError(f"the mapping has a label above {_LARGEST_LABEL}; give values of a segmentation")
        negative = [value for value, to in self.label_values.items() if to < 0]
        if negative:
            raise InputError(f"the label value {negative[0]} is mapped below 0; give 0 for background or a class")

    def channels_of(self, channels: Collection[str]) -> dict[str, str]:
        """Channel by modality; of two channels of one modality, the one that the mapping names first."""
        chosen: dict[str, str] = {}
        for channel, modality in self.modalities.items():
            if modality and channel in channels:
                chosen.setdefault(modality, channel)
        return chosen

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes: a dictionary of what JSON knows."""
        return {
            "modalities": dict(self.modalities),
            "label": self.label,
            "label_values": {str(value): to for value, to in self.label_values.items()},
            "excluded": list(self.excluded),
            "voxel_mm": None if self.voxel_mm is None else list(self.voxel_mm),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "DatabaseMapping":
        """Mapping from what `to_json` gave, or a person wrote.

        Raises
        ------
        InputError
            If a key is unknown or a value is of the wrong kind.
        """
        if not isinstance(data, Mapping):
            raise InputError("the mapping holds no entries; write one with mrviewer database --mapping")
        unknown = sorted(map(str, set(data) - set(cls.__dataclass_fields__)))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise InputError(f"the mapping has an entry {unknown[0][:60]!r}; known are {known}")
        try:
            voxel = data.get("voxel_mm")
            label = data.get("label")
            return cls(
                {str(channel): str(modality) for channel, modality in dict(data.get("modalities") or {}).items()},
                None if label is None else str(label),
                {int(value): int(to) for value, to in dict(data.get("label_values") or {}).items()},
                tuple(str(name) for name in data.get("excluded") or ()),
                None if voxel is None else (float(voxel[0]), float(voxel[1]), float(voxel[2])),
            )
        except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"the mapping cannot be read ({str(error)[:120]}); write one with mrviewer database --mapping"
            ) from error


def read_mapping(path: Path) -> DatabaseMapping:
    """Read a mapping from a JSON file that ``mrviewer database --mapping`` or a person wrote.

    Raises
    ------
    InputError
        If it is not there, cannot be read, or says what no mapping can.
    """
    try:
        return DatabaseMapping.from_json(read_json_object(path, _ADVICE))
    except FileNotFoundError:
        raise InputError(f"there is no mapping {path.name}; {_ADVICE}") from None
    except FileFormatError:
        raise
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
