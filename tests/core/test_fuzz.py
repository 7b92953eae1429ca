"""Hundreds of damaged files: each opens or is refused in a sentence; the run that looks for others finds them."""

from pathlib import Path

import numpy as np
import pytest

# The harness stays in the checkout; the tests also run beside an installed wheel.
fuzz = pytest.importorskip("benchmarks.fuzz")
inputs = pytest.importorskip("benchmarks.fuzz_inputs")

N_INPUTS = 300


def test_damaged_files_open_or_are_refused() -> None:
    tally = fuzz.fuzz(inputs.made_seeds(), N_INPUTS, seed=1)
    assert tally.faults == []
    assert tally.tried == N_INPUTS
    assert tally.total("opened") > 0
    assert tally.total("refused") > N_INPUTS / 4


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
    rng = np.random.default_rng(0)
    for seed in inputs.made_seeds():
        assert inputs.mutated(seed, inputs.made_seeds(), rng) != seed
