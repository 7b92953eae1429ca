"""A mask family is one record: what is registered is drawn, listed, trained with and documented."""

import json
from types import ModuleType

import numpy as np
import pytest
import test_sampling
from numpy.typing import NDArray

from mrviewer.cli import main
from mrviewer.sampling import MaskFamily, MaskSetting, make_mask, registry
from mrviewer.sampling.center import central_lines
from mrviewer.sampling.request import MaskRequest
from mrviewer.training.data.batches import _is_of_lines, _varied_family


def draw_comb(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central lines, and the others in the order of a fixed permutation: no seed is read."""
    lines = central_lines(request)
    for place in (np.arange(request.width) * 7919) % request.width:
        if np.count_nonzero(lines) < request.n_lines:
            lines[place] = True
    for place in range(request.width):
        if np.count_nonzero(lines) < request.n_lines:
            lines[place] = True
    return lines[None]


COMB = MaskFamily(
    name="comb",
    title="Comb",
    dimensions=1,
    description="Whole lines: a full centre, and outer lines that no seed decides.",
    citation="Nobody (2026), doi:10.1000/comb",
    draw=draw_comb,
    settings=frozenset({MaskSetting.ACCELERATION, MaskSetting.CENTER_FRACTION}),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._FAMILIES, COMB.name, COMB)


def test_it_obeys_the_laws_of_all_families() -> None:
    test_sampling.test_every_family_says_what_it_is()
    test_sampling.test_shape_type_and_request("comb")
    test_sampling.test_same_request_gives_an_equal_mask("comb")
    test_sampling.test_a_higher_acceleration_never_acquires_more("comb")
    test_sampling.test_acceleration_one_acquires_everything("comb", test_sampling.SHAPE)


def test_the_seed_has_no_effect() -> None:
    assert make_mask("comb", (20, 30), 3, 0.1, seed=0) == make_mask("comb", (20, 30), 3, 0.1, seed=1)


def test_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert not main(["masks", "--json"])
    records = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    assert records["comb"]["settings"] == ["acceleration", "center_fraction"]


def test_training_on_varied_masks_draws_it() -> None:
    rng = np.random.default_rng(0)
    drawn = [_varied_family(rng) for _ in range(2000)]
    assert 0.03 < drawn.count("comb") / len(drawn) < 0.09, "as often as other families that say no share"
    assert _is_of_lines("comb")
    assert {"full", "learned", "spiral"}.isdisjoint(drawn)


def test_the_table_of_the_documentation_picks_it_up(docs_tables: ModuleType) -> None:
    table = docs_tables.TABLES[0]
    assert docs_tables.family_row(COMB) in table.written_into(table.path.read_text(encoding="utf-8"))
    assert docs_tables.family_row(COMB).startswith("| `comb` | lines | Whole lines")
