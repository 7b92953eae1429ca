"""Hundreds of damaged files: each opens or is refused in a sentence; the run that looks for others finds them."""

import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.io import savemat

from mrviewer.array_files import matlab_elements
from mrviewer.coils.estimation import estimate_maps
from mrviewer.errors import InputError
from mrviewer.readers import open_study

# The harness stays in the checkout; the tests also run beside an installed wheel.
fuzz = pytest.importorskip("benchmarks.fuzz")
inputs = pytest.importorskip("benchmarks.fuzz_inputs")

targets = pytest.importorskip("benchmarks.fuzz_targets")

N_INPUTS = 300


@pytest.mark.slow
def test_damaged_files_open_or_are_refused() -> None:
    tally = fuzz.fuzz(inputs.made_seeds(), N_INPUTS, seed=1)
    assert tally.faults == []
    assert tally.tried == N_INPUTS
    assert tally.total("opened") > 0
    assert tally.total("refused") > N_INPUTS / 4


@pytest.mark.slow
def test_files_that_are_no_images_are_guarded_as_well() -> None:
    seeds = targets.target_seeds()
    assert {seed.kind for seed in seeds} == set(targets.TARGETS)
    tally = fuzz.fuzz(seeds, N_INPUTS, seed=1, n_workers=1)
    assert tally.faults == []
    assert tally.tried == N_INPUTS
    assert tally.total("opened") > N_INPUTS / 10
    assert tally.total("refused") > N_INPUTS / 4


@pytest.mark.slow
def test_an_input_that_takes_too_long_is_counted_and_the_run_goes_on() -> None:
    tally = fuzz.fuzz(inputs.made_seeds(), 2, bounds=fuzz.Bounds(seconds=0.0), n_workers=1)
    assert (tally.tried, tally.total("hung")) == (2, 2)
    assert len(tally.faults) == 2


def test_the_same_seed_gives_the_same_inputs() -> None:
    seeds = inputs.made_seeds()
    first, second = (inputs.endless(seeds, 5) for _ in range(2))
    pairs = [(next(first), next(second)) for _ in range(60)]
    assert all(one == other for one, other in pairs)
    originals = {content for seed in seeds for content in seed.files.values()}
    changed = [content for (_, seed), _ in pairs for content in seed.files.values() if content not in originals]
    assert len(set(changed)) > 50


@pytest.mark.parametrize("sentence", ["something went wrong", "fuzzed.nii\nis damaged", f"fuzzed.nii {'x' * 700}"])
def test_a_refusal_must_be_a_sentence_that_names_the_file(sentence: str) -> None:
    assert fuzz._judge(sentence, Path("folder") / "fuzzed.nii")[0] == "crashed"
    assert fuzz._judge("fuzzed.nii is damaged; copy it again", Path("folder") / "fuzzed.nii")[0] == "refused"


def test_made_files_are_sound() -> None:
    """Else the run would only try files that are refused anyway."""
    kinds = {seed.kind for seed in inputs.made_seeds()}
    assert kinds == set(inputs.PATTERNS) - {"twix"}
    rng, seeds = np.random.default_rng(0), inputs.made_seeds()
    for seed in seeds:
        # A zero over a zero changes nothing.
        assert any(inputs.mutated(seed, seeds, rng) != seed for _ in range(5))


def test_arrays_and_headers_that_once_got_through(tmp_path: Path) -> None:
    """Found by long runs: a header that breaks off numpy's tokenizer, and a modality that runs on into the file."""
    content = inputs.made_seeds()
    array = next(seed for seed in content if seed.kind == "numpy").files[".npy"]
    picture = next(seed for seed in content if seed.kind == "dicom").files[".dcm"]
    files = {"broken.npy": array.replace(b"}", b"("), "broken.dcm": picture.replace(b"CS\x02\x00MR", b"CS\x20\x00MR")}
    for name, damaged in files.items():
        assert damaged not in (array, picture)
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(InputError, match=name) as caught:
            open_study([tmp_path / name])
        assert "1.2.3" not in str(caught.value)


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("is_complex", [False, True])
def test_a_matlab_array_of_unknown_numbers_does_not_end_the_process(
    tmp_path: Path, is_compressed: bool, is_complex: bool
) -> None:
    """scipy dies of such a code; the imaginary part has one of its own."""
    values = np.arange(36.0).reshape(3, 3, 4) * (1 + 1j if is_complex else 1)
    path = tmp_path / "a.mat"
    savemat(path, {"data": values})
    matlab_elements.require_known_types(path)
    content = path.read_bytes()
    place = content.rindex(struct.pack("<II", 9, 36 * 8))
    damaged = content[:place] + struct.pack("<I", 11) + content[place + 4 :]
    if is_compressed:
        packed = zlib.compress(damaged[128:])
        damaged = damaged[:128] + struct.pack("<II", 15, len(packed)) + packed
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"a.mat .*numbers are of type 11"):
        open_study([path])


@pytest.mark.parametrize("edge", [3e231, 1e-300])
def test_a_voxel_beyond_all_measure_is_not_believed(tmp_path: Path, edge: float) -> None:
    image = nibabel.Nifti2Image(np.ones((4, 5, 6), np.int16), None)
    image.header["pixdim"][1:4] = edge, 1, 1
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    study = open_study([tmp_path / "a.nii"])
    assert study.geometry().voxel_size_mm == (1, 1, 1)
    assert any("voxel size beyond all measure" in note for note in study.notes)


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_coil_maps_survive_samples_that_are_no_numbers(value: float) -> None:
    rng = np.random.default_rng(0)
    kspace = (rng.normal(size=(3, 24, 24)) + 1j * rng.normal(size=(3, 24, 24))).astype(np.complex64)
    kspace[1, 12, 11] = value
    assert np.isfinite(estimate_maps(kspace)).all()
