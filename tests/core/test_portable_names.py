"""No file and no folder gets a name that Windows refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrviewer.errors import InputError
from mrviewer.files.new_file import new_file
from mrviewer.files.portable_names import is_reserved, portable_name, require_portable
from mrviewer.files.whole_file import whole_file
from mrviewer.files.whole_folder import new_folder, whole_folder
from mrviewer.methods.own import check_model_name, suggest_model_name

DEVICES = ("con", "PRN", "aux", "Nul", "com1", "LPT9", "COM\u00b9", "nul.nii.gz", "con .txt", "CONIN$")
REFUSED = ("a:b", "a?", "a*b", 'a"', "a<b", "a>b", "a|b", "a\\b", "a\tb", "a.", "a ", "")


@pytest.mark.parametrize("name", [*DEVICES, *REFUSED, "..", "aux. "])
def test_a_refused_name_is_answered_with_one_that_is_taken(name: str) -> None:
    other = portable_name(name)
    require_portable(other, "a file")
    with pytest.raises(InputError, match=r"^a file cannot be called .*; try '"):
        require_portable(name, "a file")


@pytest.mark.parametrize("name", ["console", "com", "com10", "auxiliary", "nul-1", ".con", "a.con", "cs-wavelet+d5c5"])
def test_names_that_only_look_like_devices_stay(name: str) -> None:
    assert portable_name(name) == name
    assert not is_reserved(name)


@given(st.text(max_size=20))
def test_a_portable_name_stays_as_it_is(text: str) -> None:
    assert portable_name(portable_name(text)) == portable_name(text)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("write", [whole_file, new_file, lambda path: whole_folder(path, ["a"])])
def test_nothing_is_written_to_a_device(tmp_path: Path, name: str, write: object) -> None:
    with pytest.raises(InputError, match="reserves that name for a device"), write(tmp_path / name):  # type: ignore[operator]
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["aux", "a:b", "results ", "what?"])
def test_a_new_folder_has_a_name_for_every_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="a folder cannot be called"), new_folder(tmp_path, name):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["con", "nul", "lpt1"])
def test_a_model_is_not_called_like_a_device(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path))
    with pytest.raises(InputError, match="a model cannot be called"):
        check_model_name(name)
    assert suggest_model_name(name) == f"model-{name}"
