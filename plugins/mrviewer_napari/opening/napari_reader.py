"""Open MR images through napari: into the panel, or NIfTI as plain layers in patient orientation where there is none.

DICOM and raw data need the panel, which asks what they are, and which reconstructs; it is docked for them.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mrviewer.readers.formats import is_listed
from mrviewer.readers.found_file import FoundFile
from mrviewer_napari.panel_registry import PLUGIN, StudyPanel, dock_panel, panel_of_current_viewer

__all__ = ["PATH_KEY", "can_open", "get_reader", "is_for_others", "layers_of", "paths_of_layers", "read", "takes_drop"]

PATH_KEY = "mrviewer_path"
"""Metadata of a plain layer: the file, so that a panel that opens later can take the study up."""

_PLAIN = (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")
"""Opened as layers where there is no panel."""
_OTHERS = (".dcm", ".ima", ".dicom", ".h5", ".hdf5", ".mrd", ".cfl", ".dat", ".mat", ".npy", ".npz")
_NEVER_FOR_OTHERS = (*_PLAIN, *_OTHERS, ".zip")
_DEEPEST = 3
_MOST_ASKED = 20
"""Files of a folder for which other readers are looked for."""
LayerTuple = tuple[Any, ...]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerTuple]] | None:
    """Answer napari whether these paths can be opened; looks into folders, and at the first bytes for DICOM."""
    paths = [path] if isinstance(path, str) else list(path)
    return read if can_open(paths) else None


def can_open(paths: Sequence[str]) -> bool:
    """Whether all paths are images, DICOM, raw data, or folders with such files."""
    return bool(paths) and all(_has_image(Path(path)) for path in paths)


def takes_drop(paths: Sequence[str]) -> bool:
    """Whether the panel takes what is dropped: MR images, and what nobody opens, of which it says why."""
    return can_open(paths) or not any(map(is_for_others, paths))


def is_for_others(path: str) -> bool:
    """Whether napari, or another of its plugins, opens a file by its name, or the files that lie in a folder.

    A folder itself is no answer: napari claims every folder, and asks who shall read it.
    """
    from npe2 import PluginManager

    readers = PluginManager.instance().iter_compatible_readers
    return any(
        reader.plugin_name != PLUGIN
        for name in _files_at(path)
        if not name.lower().endswith(_NEVER_FOR_OTHERS)
        for reader in readers([name])
    )


def _files_at(path: str) -> list[str]:
    """A file, or some of a folder."""
    if not Path(path).is_dir():
        return [path]
    try:
        return [str(file) for file in islice(Path(path).iterdir(), _MOST_ASKED) if file.is_file()]
    except OSError:
        return []


def read(path: str | Sequence[str]) -> list[LayerTuple]:
    """Open paths; the panel takes them and napari gets no layer, unless they are NIfTI and there is no panel."""
    paths = [path] if isinstance(path, str) else list(path)
    panel = panel_of_current_viewer() or _panel_for(paths)
    if panel is not None:
        panel.open(paths)
        return [(None,)]
    from mrviewer.readers import open_study

    return layers_of(open_study(paths))


def _panel_for(paths: Sequence[str]) -> StudyPanel | None:
    """A panel for what cannot be shown without; `None` for NIfTI, and where there is no window."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None or all(_is_plain(Path(path)) for path in paths):
        return None
    return dock_panel(viewer)


def _is_plain(path: Path) -> bool:
    """Whether layers can show it: NIfTI, or a folder of such files."""
    if path.is_dir():
        return any(file.name.lower().endswith(_PLAIN) for file in _listed(path))
    return path.name.lower().endswith(_PLAIN)


def _has_image(path: Path) -> bool:
    """Whether a file or a folder is one of ours, by its name where that tells."""
    try:
        if path.is_dir():
            return FoundFile(path).is_dicom or bool(_listed(path))  # the first looks at a few files only
        return path.name.lower().endswith((*_PLAIN, *_OTHERS)) or (path.is_file() and FoundFile(path).is_dicom)
    except OSError:
        return False


def _listed(folder: Path) -> list[Path]:
    """Images of a folder, else those up to three levels below it, by their names."""
    for depth in range(_DEEPEST + 1):
        files = [path for path in folder.glob("*/" * depth + "*") if is_listed(path) and path.is_file()]
        if files:
            return files
    return []


def layers_of(study: Any) -> list[LayerTuple]:  # noqa: ANN401 -- imported where it is needed
    """Images and labels of a study as layers in patient orientation."""
    from mrviewer.plain_text import plain_name
    from mrviewer_napari.tiles.napari_layers import placement, window_of

    layers: list[LayerTuple] = []
    for modality, image in study.images.items():
        volume = np.nan_to_num(np.asarray(image.volume(), np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        shown = placement(image.geometry)
        shown |= {
            "name": plain_name(f"{study.name} {modality}"),
            "colormap": "gray",
            "contrast_limits": window_of(volume),
            "metadata": {**shown["metadata"], PATH_KEY: _path(image)},  # type: ignore[dict-item]
        }
        layers.append((volume, shown, "image"))
    if study.labels is not None:
        shown = placement(study.labels.geometry)
        name = plain_name(f"{study.name} labels")
        shown |= {"name": name, "metadata": {**shown["metadata"], PATH_KEY: _path(study.labels)}}  # type: ignore[dict-item]
        layers.append((np.asarray(study.labels.volume()), shown, "labels"))
    return layers


def _path(image: Any) -> str:  # noqa: ANN401
    return "" if image.path is None else str(image.path)


def paths_of_layers(layers: Sequence[Any]) -> tuple[str, ...]:
    """Files behind plain layers that this reader made."""
    found = (layer.metadata.get(PATH_KEY, "") for layer in layers)
    return tuple(dict.fromkeys(path for path in found if path))
