"""``mrviewer info``: what files hold; without files what this installation is made of, and what computes."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer
from rich.table import Table

from mrviewer import __version__
from mrviewer.commands.options import AsJson, VoxelSize
from mrviewer.commands.study_arguments import load_study
from mrviewer.commands.terminal import print_json, print_table, say
from mrviewer.system.fault_log import fault_log_path
from mrviewer.system.memory import available_bytes, total_bytes

if TYPE_CHECKING:
    from mrviewer.images.inventory import Inventory, LabelFacts
    from mrviewer.study import Study

__all__ = ["info"]

_PACKAGES = ("numpy", "scipy", "torch", "nibabel", "PyWavelets", "napari", "PySide6_Essentials")


def info(
    images: Annotated[
        list[str] | None, typer.Argument(help="What to look at, as for reconstruct.", metavar="[IMAGE...]")
    ] = None,
    reference_labels: Annotated[Path | None, typer.Option(help="Reference segmentation.", metavar="FILE")] = None,
    voxel_size: VoxelSize = None,
    as_json: AsJson = False,
) -> None:
    """Show what files hold as one study; without files versions, devices, memory, and where things are stored."""
    if images:
        _show_study(images, load_study(images, reference_labels, voxel_size=voxel_size), as_json=as_json)
        return
    for option, given in (("--reference-labels", reference_labels), ("--voxel-size", voxel_size)):
        if given is not None:
            raise typer.BadParameter(f"{option} goes with an image")
    record: dict[str, dict[str, object] | list[dict[str, object]]] = {
        "versions": _versions(),
        "devices": _devices(),
        "memory": {"total_bytes": total_bytes(), "available_bytes": available_bytes()},
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


def _show_study(images: Sequence[str], study: "Study", *, as_json: bool) -> None:
    from mrviewer.images.inventory import take_inventory
    from mrviewer.readers.study_request import path_of

    inventory = take_inventory(study, map(path_of, images))
    if as_json:
        print_json(inventory.to_json())
        return
    print_table(_image_table(inventory), to_stdout=True)
    if inventory.labels is not None:
        print_table(_label_table(inventory.labels), to_stdout=True)
    for entry in inventory.images:
        if len(entry.frames) > 1:
            say(f"volumes of {entry.modality}: {'; '.join(entry.frames)}")
    for note in inventory.notes:
        say(f"note: {note}")


def _image_table(inventory: "Inventory") -> Table:
    table = Table("modality", "kind", "matrix", "voxel, mm", "axes", "volumes", "coils", "k-space", "files")
    for entry in inventory.images:
        matrix, voxel = (
            " x ".join(f"{value:.4g}" for value in reversed(sizes)) for sizes in (entry.shape, entry.voxel_size_mm)
        )
        axes = entry.orientation if entry.placed else "not stated"
        more = f" and {len(entry.files) - 1} more" if len(entry.files) > 1 else ""
        files = f"{entry.files[0]}{more}" if entry.files else "-"
        volumes, coils = str(len(entry.frames)), str(entry.coils or "-")
        table.add_row(entry.modality, entry.kind, matrix, voxel, axes, volumes, coils, entry.kspace, files)
    return table


def _label_table(labels: "LabelFacts") -> Table:
    table = Table("label", "voxels", "ml", "components", title=f"labels of {labels.source}", title_justify="left")
    for one in labels.classes:
        table.add_row(str(one.value), f"{one.voxels:,}", f"{one.ml:.4g}", str(one.components))
    return table


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


def _storage() -> dict[str, object]:
    return {
        "cache": platformdirs.user_cache_dir("mrviewer"),
        "settings": platformdirs.user_config_dir("mrviewer"),
        "data": platformdirs.user_data_dir("mrviewer"),
        "log": str(fault_log_path()),
    }
