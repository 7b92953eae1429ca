"""A run as BIDS derivatives: the files of a results folder under names that other programs understand.

References
----------
Gorgolewski KJ et al. (2016), The brain imaging data structure, Sci Data 3:160044, doi:10.1038/sdata.2016.44.
BIDS specification 1.10, derivatives: common data types, imaging derivatives.
"""

import csv
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mrviewer import __version__
from mrviewer.errors import FileFormatError, InputError
from mrviewer.files.json_text import json_text, read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.files.whole_folder import whole_folder
from mrviewer.metrics.lesions import LESION_COLUMNS, LesionColumn
from mrviewer.plain_text import CellWriter

__all__ = ["BidsTarget", "write_bids"]

BIDS_VERSION = "1.10.0"
_SUFFIXES = {
    "FLAIR": "FLAIR",
    "T1": "T1w",
    "T1Gd": "ce-gadolinium_T1w",
    "T2": "T2w",
    "T2*": "T2starw",
    "PD": "PDw",
}
# What the standard has no suffix for; a validator passes it over.
_IGNORED = "*_lesions.tsv\n*_lesions.json\n*_metrics.json\n"
_LEAST_COLUMNS = [column.name for column in LESION_COLUMNS].index("error_percent")
"""Older tables end before the error inside each lesion."""


@dataclass(frozen=True)
class BidsTarget:
    """Where a run goes in a BIDS data set.

    Parameters
    ----------
    root
        Folder of the derivatives, e.g. ``derivatives/mrviewer``; made if it does not exist.
    subject, session
        Labels without ``sub-`` and ``ses-``: letters and digits. Never a patient's name or number.
    """

    root: Path
    subject: str
    session: str = ""

    def __post_init__(self) -> None:
        """Refuse labels that BIDS does not allow."""
        for label in (self.subject, *([self.session] if self.session else [])):
            if not re.fullmatch(r"[A-Za-z0-9]+", label):
                raise InputError(f"{label!r} is no BIDS label; give letters and digits alone, such as 01")

    @property
    def folder(self) -> Path:
        """Folder of the images."""
        parts = [f"sub-{self.subject}", *([f"ses-{self.session}"] if self.session else []), "anat"]
        return self.root.joinpath(*parts)

    @property
    def prefix(self) -> str:
        """Start of each file name."""
        return f"sub-{self.subject}_" + (f"ses-{self.session}_" if self.session else "")


def write_bids(results: Path, target: BidsTarget) -> list[str]:
    """Copy the results of one run to where BIDS wants them.

    Parameters
    ----------
    results
        Folder that ``mrviewer reconstruct`` wrote.
    target
        Where to. Files of the same names are replaced, each whole or not at all.

    Returns
    -------
    Paths of the files from `BidsTarget.root`.

    Raises
    ------
    InputError
        If `results` is no folder of results.
    FileFormatError
        If its ``metrics.json`` is damaged.
    """
    metrics = _metrics(results)
    modality = str(metrics["modality"])
    suffix = _SUFFIXES.get(modality, "MRI" if not modality.isalnum() else modality)
    label = re.sub(r"[^A-Za-z0-9]", "", str(metrics["method"]))
    names = {
        "reconstruction.nii.gz": f"space-orig_desc-{label}_{suffix}.nii.gz",
        "error.nii.gz": f"space-orig_desc-{label}Error_{suffix}.nii.gz",
        "segmentation.nii.gz": f"space-orig_label-L_desc-{label}_mask.nii.gz",
        "segmentation_classes.nii.gz": f"space-orig_desc-{label}_dseg.nii.gz",
    }
    volumes = {source: target.prefix + _entities_in_order(name) for source, name in names.items()}
    lesions, figures = (f"{target.prefix}desc-{label}_{name}" for name in ("lesions.tsv", "metrics.json"))
    ours = [name for volume in volumes.values() for name in (volume, _beside(volume))]
    with whole_folder(target.folder, [*ours, lesions, lesions.replace(".tsv", ".json"), figures]) as folder:
        written = []
        for source, name in volumes.items():
            if (results / source).is_file():
                shutil.copyfile(results / source, folder / name)
                _write_json(folder / _beside(name), _sidecar(source, metrics))
                written += [name, _beside(name)]
        if (results / "lesions.csv").is_file():
            written += [path.name for path in _write_lesions(results / "lesions.csv", folder / lesions)]
        _write_json(folder / figures, metrics)
    paths = [target.folder / name for name in (*written, figures)] + _write_description(target.root)
    return [str(path.relative_to(target.root)) for path in paths]


def _beside(volume: str) -> str:
    """Name of the file that describes a volume."""
    return volume.removesuffix(".nii.gz") + ".json"


def _metrics(results: Path) -> Mapping[str, object]:
    path = results / "metrics.json"
    if not path.is_file():
        raise InputError(f"{results.name} holds no metrics.json; give a folder that `mrviewer reconstruct` wrote")
    metrics = read_json_object(path, "run `mrviewer reconstruct` again")
    known = {"method": str, "modality": str, "mask": dict}
    if not all(isinstance(metrics.get(key), kind) for key, kind in known.items()):
        raise FileFormatError(f"{path.name} is damaged; run `mrviewer reconstruct` again")
    # Notes may name files, and files may be named after people.
    return {key: value for key, value in metrics.items() if key != "notes"}


def _entities_in_order(name: str) -> str:
    """The contrast agent before the space, as BIDS orders entities."""
    agent = "ce-gadolinium_"
    return agent + name.replace(agent, "") if agent in name else name


def _sidecar(source: str, metrics: Mapping[str, object]) -> dict[str, object]:
    """What a volume is, and how it was made."""
    about: dict[str, object] = {
        "Description": {
            "reconstruction.nii.gz": "Magnitude reconstructed from undersampled k-space",
            "error.nii.gz": "Reconstruction minus fully sampled magnitude",
            "segmentation.nii.gz": "Lesions",
            "segmentation_classes.nii.gz": "Class of every voxel, 0 is background",
        }[source],
        "Method": metrics["method"],
        "SamplingMask": metrics["mask"],
        "KSpaceOrigin": metrics.get("origin"),
        "SpatialReference": "orig",
    }
    if source == "segmentation.nii.gz":
        about["Type"] = "Lesion"
    return about


def _write_lesions(source: Path, path: Path) -> list[Path]:
    """The table with tabs, ``n/a`` for what is unknown, and its data dictionary."""
    try:
        with source.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
    except (ValueError, csv.Error) as error:
        raise FileFormatError(f"{source.name} is damaged; run `mrviewer reconstruct` again") from error
    columns = LESION_COLUMNS[: len(rows[0])] if rows else ()
    if (
        len(columns) < _LEAST_COLUMNS
        or rows[0] != [column.name for column in columns]
        or any(len(row) != len(columns) for row in rows)
    ):
        raise FileFormatError(
            f"{source.name} has other columns than a table of lesions; run `mrviewer reconstruct` again"
        )
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = CellWriter(stream, delimiter="\t")
        for row in rows:
            writer.row(cell or "n/a" for cell in row)
    dictionary = path.with_suffix(".json")
    _write_json(dictionary, {column.name: _described(column) for column in columns})
    return [path, dictionary]


def _described(column: LesionColumn) -> dict[str, str]:
    return {"Description": column.description} | ({"Units": column.unit} if column.unit else {})


def _write_description(root: Path) -> list[Path]:
    _write_json(
        root / "dataset_description.json",
        {
            "Name": "mrviewer: accelerated MR, reconstructed and segmented",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "mrviewer", "Version": __version__}],
        },
    )
    with whole_file(root / ".bidsignore") as temporary:
        temporary.write_text(_IGNORED, encoding="utf-8")
    return [root / "dataset_description.json", root / ".bidsignore"]


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json_text(document, indent=2) + "\n", encoding="utf-8")
