"""What napari is told, and what it gets when it asks."""

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest

import mrviewer_napari
from mrviewer.methods.registry import list_methods
from mrviewer_napari.facts.method_facts import in_order
from mrviewer_napari.opening.napari_reader import PATH_KEY, can_open, get_reader
from mrviewer_napari.preferences import state_from_preferences

MANIFEST = Path(mrviewer_napari.__file__).parent / "napari.yaml"


def test_the_manifest_is_valid_and_everything_in_it_can_be_imported() -> None:
    manifest = PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == "mrviewer"
    assert [widget.display_name for widget in manifest.contributions.widgets] == ["MR panel"]
    assert [sample.display_name for sample in manifest.contributions.sample_data] == [
        "Simulated MS patient",
        "Simulated liver patient (four phases)",
    ]


def test_preferences_begin_with_what_the_manifest_says() -> None:
    state = state_from_preferences()
    assert state.mask.acceleration == 4
    assert state.radiological
    assert state.error_gain == 5
    assert state.device == "auto"
    installed = {method.card.name for method in in_order(list_methods())}
    assert set(state.methods) <= installed


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.hdr", "scan.img", "SCAN.NII.GZ"])
def test_the_reader_takes_images_by_name(name: str, tmp_path: Path) -> None:
    assert get_reader(str(tmp_path / name)) is not None


def test_the_reader_leaves_other_files_and_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert get_reader(str(tmp_path / "notes.txt")) is None
    assert get_reader(str(tmp_path)) is None
    assert get_reader([str(tmp_path / "scan.nii"), str(tmp_path / "photo.png")]) is None
    assert not can_open([])


def test_without_a_panel_images_become_layers_where_the_patient_lay(study_folder: Path) -> None:
    viewer = ViewerModel()
    read = get_reader(str(study_folder))
    assert read is not None
    for data, shown, kind in read(str(study_folder)):
        viewer._add_layer_from_data(data, shown, kind)
    names = [layer.name for layer in viewer.layers]
    assert names == ["subject FLAIR", "subject T1"]
    flair = viewer.layers[0]
    assert flair.data.shape == (6, 40, 32)
    assert flair.metadata[PATH_KEY].endswith("FLAIR.nii.gz")
    np.testing.assert_allclose(flair.scale, (3, 1, 1))
    assert [str(unit) for unit in flair.units] == ["millimeter"] * 3
