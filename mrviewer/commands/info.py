"""``mrviewer info``: what this installation is made of, what computes, and where things are stored."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import platformdirs
from rich.table import Table

from mrviewer import __version__
from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, print_table

__all__ = ["info"]

_PACKAGES = ("numpy", "scipy", "torch", "nibabel", "PyWavelets", "napari", "PySide6_Essentials")


def info(as_json: AsJson = False) -> None:
    """Show versions, devices, memory, and where things are stored."""
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
