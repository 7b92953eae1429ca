"""Open MR images through napari: into the panel if there is one, as plain layers in patient orientation if not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mrviewer.readers.formats import is_listed
from mrviewer_napari.panels import panel_of_current_viewer

__all__ = ["PATH_KEY", "can_open", "get_reader", "layers_of", "paths_of_layers", "read"]

PATH_KEY = "mrviewer_path"
"""Metadata of a plain layer: the file, so that a panel that opens later can take the study up."""

_SUFFIXES = (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")
LayerTuple = tuple[Any, ...]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerTuple]] | None:
    """Answer napari whether these paths can be opened; looks into folders but into no file."""
    paths = [path] if isinstance(path, str) else list(path)
    return read if can_open(paths) else None


def can_open(paths: Sequence[str]) -> bool:
    """Whether all paths are images or folders with images."""
    return bool(paths) and all(_has_image(Path(path)) for path in paths)


def read(path: str | Sequence[str]) -> list[LayerTuple]:
    """Open paths; with a panel in the window, the panel takes them and napari gets no layer."""
    paths = [path] if isinstance(path, str) else list(path)
    panel = panel_of_current_viewer()
    if panel is not None:
        panel.open(paths)
        return [(None,)]
    from mrviewer.readers import open_study

    return layers_of(open_study(paths))


def _has_image(path: Path) -> bool:
    if not path.is_dir():
        return path.name.lower().endswith(_SUFFIXES)
    try:
        return any(is_listed(file) for file in path.iterdir() if file.is_file())
    except OSError:
        return False


def layers_of(study: Any) -> list[LayerTuple]:  # noqa: ANN401 -- imported where it is needed
    """Images and labels of a study as layers in patient orientation."""
    from mrviewer_napari.layers import placement, window_of

    layers: list[LayerTuple] = []
    for modality, image in study.images.items():
        volume = np.nan_to_num(np.asarray(image.volume(), np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        shown = placement(image.geometry)
        shown |= {
            "name": f"{study.name} {modality}",
            "colormap": "gray",
            "contrast_limits": window_of(volume),
            "metadata": {**shown["metadata"], PATH_KEY: _path(image)},  # type: ignore[dict-item]
        }
        layers.append((volume, shown, "image"))
    if study.labels is not None:
        shown = placement(study.labels.geometry)
        shown |= {"name": f"{study.name} labels", "metadata": {**shown["metadata"], PATH_KEY: _path(study.labels)}}  # type: ignore[dict-item]
        layers.append((np.asarray(study.labels.volume()), shown, "labels"))
    return layers


def _path(image: Any) -> str:  # noqa: ANN401
    return "" if image.path is None else str(image.path)


def paths_of_layers(layers: Sequence[Any]) -> tuple[str, ...]:
    """Files behind plain layers that this reader made."""
    found = (layer.metadata.get(PATH_KEY, "") for layer in layers)
    return tuple(dict.fromkeys(path for path in found if path))
