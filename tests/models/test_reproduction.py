"""The tables of the papers: they can be run, their figures are those of the source, the page has a place for each."""

from pathlib import Path
from statistics import mean

import pytest

from mrviewer.database import SIMULATED_KINDS, open_database
from mrviewer.experiments.row_runs import reason_to_skip
from mrviewer.experiments.table_files import list_tables
from mrviewer.experiments.tables import Table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reproduction.md"
TABLES = {table.name: table for table in list_tables()}

MTLRS_FOLDS = {
    "mtlrs": {"ssim": (0.936, 0.961, 0.944, 0.940, 0.923), "psnr": (34.94, 36.69, 35.72, 35.26, 34.18),
              "dice": (0.511, 0.588, 0.558, 0.572, 0.570)},
    "joint": {"ssim": (0.936, 0.959, 0.933, 0.937, 0.915), "psnr": (34.79, 37.13, 34.96, 34.97, 33.64),
              "dice": (0.505, 0.587, 0.528, 0.552, 0.562)},
    "pretrained": {"ssim": (0.821, 0.882, 0.838, 0.814, 0.918), "psnr": (29.84, 31.43, 30.65, 29.63, 33.82),
                   "dice": (0.197, 0.400, 0.211, 0.219, 0.540)},
    "sequential": {"dice": (0.178, 0.407, 0.220, 0.222, 0.542)},
    "end-to-end": {"dice": (0.178, 0.319, 0.204, 0.201, 0.233)},
}  # fmt: skip


@pytest.fixture(params=sorted(TABLES))
def table(request: pytest.FixtureRequest) -> Table:
    return TABLES[request.param]


def test_every_system_has_its_tables() -> None:
    assert set(TABLES) >= {
        "semunet-masks", "itfs-ablation", "itfs-weighting", "comparison", "mtlrs-arms", "mtinet-modules",
        "multiunet-joint", "multiunet-modalities",
    }  # fmt: skip


def test_every_row_can_be_trained_with_what_it_says(table: Table) -> None:
    assert {row.name: reason_to_skip(row) for row in table.rows} == {row.name: "" for row in table.rows}


def test_rows_of_a_table_take_equal_steps(table: Table) -> None:
    assert len({row.options["steps"] for row in table.rows}) == 1


def test_rows_of_a_table_see_equally_many_examples(table: Table) -> None:
    # A batch of several databases holds so many examples of each.
    seen = {int(row.options["batch_size"]) * _databases_in_a_batch(table, row.database) for row in table.rows}
    assert len(seen) == 1


def _databases_in_a_batch(table: Table, database: tuple[str, ...]) -> int:
    return len(database) if table.name.startswith("multiunet") else 1


def test_nobody_is_trained_on_and_measured(table: Table) -> None:
    for row in table.rows:
        trained = {subject.name for subject in open_database(row.database)}
        for condition in row.conditions:
            assert trained.isdisjoint(subject.name for subject in open_database(condition.database))


def test_tables_need_no_data_of_anybody(table: Table) -> None:
    named = {
        text for row in table.rows for text in (*row.database, *(c for one in row.conditions for c in one.database))
    }
    assert {text.partition(":")[0] for text in named} <= set(SIMULATED_KINDS)


def test_sources_are_named(table: Table) -> None:
    assert any(sign in table.source for sign in ("arXiv", "PMLR", "doi:"))
    assert table.claim.endswith(".")
    published = any(row.published for row in table.rows)
    assert published == bool(table.published_on)
    assert published or table.claimed, "nothing is compared"


@pytest.mark.parametrize("arm", sorted(MTLRS_FOLDS))
def test_arms_of_mtlrs_are_published_as_the_means_of_the_folds(arm: str) -> None:
    published = TABLES["mtlrs-arms"].row(arm).published
    tolerance = {"psnr": 0.005, "ssim": 0.0005, "dice": 0.0005}
    assert set(published) == set(MTLRS_FOLDS[arm])
    for metric, folds in MTLRS_FOLDS[arm].items():
        assert published[metric] == pytest.approx(mean(folds), abs=1.05 * tolerance[metric])


def test_the_same_row_of_two_tables_has_the_same_figures() -> None:
    # The paper prints its method in three tables; SSIM on ATLAS differs by a rounding there.
    for table, row in (("itfs-weighting", "exp"), ("comparison", "itfs-drlc")):
        ours = TABLES["itfs-ablation"].row("both")
        assert TABLES[table].row(row).published == pytest.approx(dict(ours.published), abs=0.0011)


def test_page_has_a_place_for_every_table(table: Table) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(f"<!-- reproduce: {table.name} -->") == 1
    assert text.count(f"<!-- end of {table.name} -->") == 1
    assert f"## {table.title}" in text
