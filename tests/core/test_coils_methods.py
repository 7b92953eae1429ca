"""Every method that reconstructs runs on a multi-coil scan, or says why it does not."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from raw_files import write_fastmri

from mrviewer.errors import WeightsError
from mrviewer.method import Task
from mrviewer.methods.registry import get_method, method_names
from mrviewer.readers import open_study
from mrviewer.reconstruction.acquisition import raw_data, reference_slice
from mrviewer.reconstruction.reconstruct import reconstruct_slice
from mrviewer.sampling import make_mask
from mrviewer.study import Study


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Study:
    """A quarter of the resolution of a real head, four coils."""
    with h5py.File(shared_data / "kspace_brain4ch_t2" / "derived" / "brain4ch_fastmri_layout.h5") as file:
        samples = file["kspace"][:, :, 64:192, 64:192]
    return open_study(write_fastmri(tmp_path_factory.mktemp("head") / "FLAIR.h5", samples))


@pytest.mark.parametrize("name", sorted(method_names()))
def test_methods_reconstruct_several_coils_or_say_why_not(head: Study, name: str) -> None:
    method = get_method(name)
    if Task.RECONSTRUCT not in method.card.tasks:
        pytest.skip(f"{name} does not reconstruct")
    fit = method.fits(head, "FLAIR")
    if not fit:
        assert any(word in fit.reason for word in ("coil", "needs", "trained on"))
        return
    raw = raw_data(head, "FLAIR")
    mask = make_mask("random", raw.shape[2:], 2.0, 0.16, seed=0)
    job = reconstruct_slice(head, raw, method, mask, 0)
    try:
        while True:
            next(job)
    except StopIteration as end:
        image = end.value.image
    except WeightsError as error:
        pytest.skip(f"{name} has no weights here: {error}")
    reference = reference_slice(raw, 0)
    assert reference is not None
    assert image.shape == reference.shape
    assert np.isfinite(image).all()
    assert np.linalg.norm(image - reference) < 0.5 * np.linalg.norm(reference)
