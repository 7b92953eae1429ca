"""``mrviewer info``: what files hold; without files what this installation is made of, and what computes."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any

import platformdirs
import typer
from rich.table import Table

from mrviewer import __version__
from mrviewer.commands.options import AsJson
from mrviewer.commands.study import load_study
from mrviewer.commands.terminal import print_json, print_table, say

if TYPE_CHECKING:
    from mrviewer.study import Study

__all__ = ["info"]

_PACKAGES = ("numpy", "scipy", "torch", "nibabel", "PyWavelets", "napari", "PySide6_Essentials")


def info(
    images: Annotated[
        list[str] | None, typer.Argument(help="What to look at, as for reconstruct.", metavar="[IMAGE...]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what files hold as one study; without files versions, devices, memory, and where things are stored."""
    if images:
        _show_study(images, as_json=as_json)
        return
    record: dict[str, dict[str, object] | list[dict[str, object]]] = {
        "versions": _versions(),
        "devices": _devices(),
        "memory": {"total_bytes": _memory("SC_PHYS_PAGES"), "available_bytes": _memory("SC_AVPHYS_PAGES")},
        "storage": _storage(),
    }
    if as_json:
        print_json(record)
        return
    table = Table("", "", "")
    for part, values in record.items():
        for entry in values if isinstance(values, list) else [values]:
            for name, value in entry.items():
                table.add_row(part, name, "-" if value is None else str(value))
    print_table(table, to_stdout=True)


def _show_study(images: Sequence[str], *, as_json: bool) -> None:
    study = load_study(images)
    record = [_entry(study, modality) for modality in study.modalities]
    if as_json:
        labels = None if study.labels is None else {"classes": _classes(study)}
        print_json({"name": study.name, "images": record, "labels": labels, "notes": list(study.notes)})
        return
    table = Table("modality", "matrix", "voxel, mm", "frames", "coils", "k-space")
    for entry in record:
        sizes = (" x ".join(f"{value:.4g}" for value in reversed(entry[name])) for name in ("shape", "voxel_size_mm"))
        table.add_row(entry["modality"], *sizes, str(entry["frames"]), str(entry["coils"] or "-"), entry["kspace"])
    print_table(table, to_stdout=True)
    if study.labels is not None:
        say(f"labels: {', '.join(str(value) for value in _classes(study))}")
    for note in study.notes:
        say(f"note: {note}")


def _entry(study: "Study", modality: str) -> dict[str, Any]:
    geometry, raw, image = study.geometry(modality), study.raw.get(modality), study.images.get(modality)
    state = "from magnitude" if raw is None else "fully sampled" if raw.acquired is None else "undersampled"
    return {
        "modality": modality,
        "shape": list(geometry.shape),
        "voxel_size_mm": list(geometry.voxel_size_mm),
        "frames": 1 if image is None else image.n_frames,
        "coils": None if raw is None else raw.shape[1],
        "kspace": state,
    }


def _classes(study: "Study") -> list[int]:
    import numpy as np

    assert study.labels is not None
    return [int(value) for value in np.unique(study.labels.volume()) if value != 0]


def _versions() -> dict[str, object]:
    return {
        "mrviewer": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: _version(package) for package in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices() -> list[dict[str, object]]:
    import torch

    devices: list[dict[str, object]] = [
        {"name": "cpu", "title": platform.machine(), "threads": torch.get_num_threads(), "memory_bytes": None}
    ]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        card = torch.cuda.get_device_properties(index)
        devices.append(
            {"name": f"cuda:{index}", "title": card.name, "threads": None, "memory_bytes": card.total_memory}
        )
    if torch.backends.mps.is_available():
        devices.append({"name": "mps", "title": "Metal", "threads": None, "memory_bytes": None})
    return devices


def _memory(pages: str) -> int | None:
    """Bytes of memory by the name of a page count; `None` where the system does not tell."""
    if pages not in os.sysconf_names:
        return None
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def _storage() -> dict[str, object]:
    return {
        "cache": platformdirs.user_cache_dir("mrviewer"),
        "settings": platformdirs.user_config_dir("mrviewer"),
        "data": platformdirs.user_data_dir("mrviewer"),
    }
