"""What every error of this program promises of its message."""

import pickle

import pytest

from mrviewer.errors import FileFormatError, InputError, MrviewerError, UnknownNameError, WriteError


@pytest.mark.parametrize("kind", [MrviewerError, InputError, FileFormatError, UnknownNameError, WriteError])
def test_a_message_is_one_line_of_bounded_length_that_still_says_what_to_do(kind: type[MrviewerError]) -> None:
    said = str(kind(f"table a.toml asks for {'x' * 5000!r},\nwhich does not exist; remove it"))
    assert said.startswith("table a.toml asks for 'xxx")
    assert said.endswith("x', which does not exist; remove it")
    assert len(said) < 300
    many = str(kind(f"table a.toml sets {', '.join(map(str, range(2000)))}; remove what does not exist"))
    assert many.startswith("table a.toml sets 0, 1, 2")
    assert many.endswith("1999; remove what does not exist")
    assert len(many) <= 600


def test_a_short_message_stays_as_it_is_and_travels_between_processes() -> None:
    error = WriteError("a.nii cannot be written; make room", 28)
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "a.nii cannot be written; make room"
