"""Tables of experiments: read from files, refused with a sentence, and what their figures say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrviewer.errors import FileFormatError, InputError, UnknownNameError
from mrviewer.evaluation.paired import agreeing_pairs, paired_difference, rank_correlation, spread
from mrviewer.experiments.claims import Verdict, comparisons, sentences
from mrviewer.experiments.page import section, update_page
from mrviewer.experiments.table_files import open_tables, read_table
from mrviewer.experiments.table_results import RowFigures
from mrviewer.experiments.tables import Table

TABLE = """
title = "Two ways"
claim = "New is better than old."
source = "a test"
paper_scale = "nothing."
headline = "new"
metrics = ["dice", "psnr"]

[training]
method = "unet-full"
database = ["simulated:2"]

[training.options]
steps = 5
preset = "tiny"
accelerations = [2, 4]
flag = true

[evaluation]
database = ["simulated:1@9000"]
coarsen = 2

[[row]]
name = "old"
options = { preset = "small" }
published = { dice = 0.5 }
evaluation = { acceleration = 8 }

[[row]]
name = "new"
published = { dice = 0.6 }

[[row]]
name = "bound"
is_bound = true
"""
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.01, (3, 8))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "two-ways.toml"
    path.write_text(TABLE)
    return read_table(path)


def figures(**means: float) -> dict[str, RowFigures]:
    """Three seeds and eight subjects of each row, of nearly the same Dice; no image."""
    return {
        name: RowFigures(
            seeds=(1, 2, 3),
            values={"dice": mean + RNG.permuted(NOISE, axis=1), "psnr": np.full((3, 8), np.nan)},
            real={},
            subjects={"": tuple(f"s{number}" for number in range(8))},
            real_subjects=(),
            seconds=12.0,
            parameters=1234,
        )
        for name, mean in means.items()
    }


def test_rows_take_what_they_do_not_say_from_the_table(table: Table) -> None:
    old, new = table.row("old"), table.row("new")
    assert new.options == {"steps": "5", "preset": "tiny", "accelerations": "2,4", "flag": "true"}
    assert old.options["preset"] == "small"
    assert (old.conditions[0].acceleration, new.conditions[0].acceleration) == (8, 4)
    assert new.conditions[0].coarsen == 2
    assert table.columns == ("dice", "psnr")
    assert table.with_options({"steps": "7"}).row("old").options["steps"] == "7"


def test_a_table_like_another_trains_and_measures_like_it(table: Table, tmp_path: Path) -> None:
    changed = TABLE.partition("[training]")[0] + '[training.options]\nsteps = 9\n\n[[row]]\nname = "new"\n'
    (tmp_path / "other.toml").write_text('like = "two-ways"\n' + changed)
    other = read_table(tmp_path / "other.toml").row("new")
    assert other.options == {**table.row("new").options, "steps": "9"}
    assert other.conditions == table.row("new").conditions


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[training]", "[training"), "cannot be read"),
        (('claim = "New is better than old."\n', ""), "lacks.*claim"),
        (('headline = "new"', 'headline = "newest"'), "which it lacks"),
        (('name = "old"', 'name = "new"'), "two rows"),
        (('"psnr"]', '"beauty"]'), "beauty"),
        (("{ dice = 0.5 }", "{ ssim = 0.5 }"), "no column"),
        (("coarsen = 2", "coarsen = 2\ncolour = 3"), "colour"),
        (("acceleration = 8", "speed = 8"), "speed"),
        (('database = ["simulated:1@9000"]\n', ""), "measured on nothing"),
        (('title = "Two ways"', 'title = "Two ways"\nlike = "two-ways"'), "like itself"),
    ],
)
def test_a_wrong_table_is_refused_in_a_sentence(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    path = tmp_path / "two-ways.toml"
    assert change[0] in TABLE
    path.write_text(TABLE.replace(*change))
    with pytest.raises(FileFormatError, match=words):
        read_table(path)


def test_tables_by_name_and_by_file(table: Table, tmp_path: Path) -> None:
    assert open_tables((str(tmp_path / "two-ways.toml"),)) == [table]
    with pytest.raises(UnknownNameError, match="no table 'nothing'"):
        open_tables(("nothing",))


def test_a_difference_of_nothing_is_nothing() -> None:
    values = RNG.random((3, 6))
    same = paired_difference(values, values)
    assert same is not None
    assert (same.mean, same.low, same.high, same.is_clear) == (0, 0, 0, False)


def test_differences_turn_their_sign_and_contain_their_mean() -> None:
    first, second = RNG.random((3, 6)), RNG.random((3, 6))
    one, other = paired_difference(first, second), paired_difference(second, first)
    assert one is not None
    assert other is not None
    assert one.mean == pytest.approx(-other.mean)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.low < one.mean < one.high


def test_what_one_training_gains_by_chance_is_not_clear() -> None:
    base = RNG.normal(0.5, 0.1, (3, 50))
    by_chance = base + np.asarray([[0.2], [-0.1], [0.0]])
    always = base + 0.05 + RNG.normal(0, 0.01, (3, 50))
    assert not paired_difference(by_chance, base).is_clear  # type: ignore[union-attr]
    assert paired_difference(always, base).is_clear  # type: ignore[union-attr]
    assert not paired_difference(always[:1], base[:1]).is_clear  # type: ignore[union-attr]


def test_missing_figures_are_left_out() -> None:
    values = np.asarray([[1.0, np.nan], [3.0, 4.0]])
    assert spread(values).mean == pytest.approx((1 + 3.5) / 2)  # type: ignore[union-attr]
    assert paired_difference(values, np.zeros((2, 2))).mean == pytest.approx(8 / 3)  # type: ignore[union-attr]
    assert spread(np.full((2, 2), np.nan)) is None
    assert paired_difference(values, np.full((2, 2), np.nan)) is None


def test_deviation_is_over_seeds() -> None:
    values = np.asarray([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    assert spread(values).deviation == pytest.approx(1.0)  # type: ignore[union-attr]
    assert spread(values[:1]).deviation is None  # type: ignore[union-attr]


def test_rank_correlation_of_known_ranks() -> None:
    # Sum of squared rank differences 4: rho = 1 - 6 * 4 / (5 * 24).
    found = rank_correlation(np.asarray([1.0, 2, 3, 4, 5]), np.asarray([2.0, 1, 4, 3, 5]))
    assert found is not None
    assert found.rho == pytest.approx(0.8)
    assert rank_correlation(np.ones(5), np.arange(5.0)) is None
    assert rank_correlation(np.asarray([1.0, 2, np.nan]), np.arange(3.0)) is None


def test_pairs_that_are_equal_in_print_do_not_count() -> None:
    published = {"a": 1.0, "b": 1.0, "c": 2.0}
    assert agreeing_pairs(published, {"a": 5, "b": 1, "c": 4}) == (1, 2)


@pytest.mark.parametrize(
    ("new", "verdict"), [(0.58, Verdict.SAME), (0.42, Verdict.OPPOSITE), (0.5005, Verdict.OPEN)], ids=str
)
def test_verdicts_follow_the_figures(table: Table, new: float, verdict: Verdict) -> None:
    [one] = comparisons(table, figures(old=0.5, new=new))
    assert (one.against, one.column, one.is_published, one.verdict) == ("old", "dice", True, verdict)
    assert one.expected == pytest.approx(0.1)


def test_one_seed_leaves_everything_open(table: Table) -> None:
    measured = {
        name: replace(row, seeds=(1,), values={key: values[:1] for key, values in row.values.items()})
        for name, row in figures(old=0.2, new=0.8).items()
    }
    [one] = comparisons(table, measured)
    assert one.verdict is Verdict.OPEN


def test_a_claim_without_figures_knows_which_way_is_better(table: Table) -> None:
    rows = tuple(replace(row, published={}) for row in table.rows)
    claimed = replace(table, rows=rows, claimed=("dice",))
    found = comparisons(claimed, figures(old=0.5, new=0.6, bound=0.9))
    assert [(one.against, one.expected, one.is_published) for one in found] == [("old", 1.0, False)], "not the bound"
    worse = replace(claimed, metrics=("hd95_mm",), claimed=("hd95_mm",))
    renamed = {
        name: replace(row, values={"hd95_mm": row.values["dice"]}) for name, row in figures(old=5.0, new=4.0).items()
    }
    [one] = comparisons(worse, renamed)
    assert (one.expected, one.verdict) == (-1.0, Verdict.SAME)


def test_sentences_count_what_was_found(table: Table) -> None:
    said = " ".join(sentences(table, figures(old=0.5, new=0.6)))
    assert "Of 1 published differences" in said
    assert "1 came out the same way" in said
    assert "the published order" in said
    assert sentences(table, {}) == []


def test_correlation_is_told_over_all_rows_and_within_them(table: Table) -> None:
    rows = figures(old=0.5, new=0.6)
    paired = {
        name: replace(row, values={"dice": row.values["dice"], "psnr": 30 + row.values["dice"]})
        for name, row in rows.items()
    }
    told = sentences(replace(table, correlate=("psnr", "dice"), published_correlation=0.92), paired)
    assert any("1.00 (published: 0.92)" in text and "16 values" in text for text in told)
    assert any("`old` 1.00" in text and "over 8 subjects" in text for text in told)


def test_section_shows_ours_beside_theirs(table: Table) -> None:
    text = section(table, figures(old=0.5, new=0.6), {"bound": "no such method; the row is left out"})
    assert "· *0.500*" in text
    assert "as published" in text
    assert "no such method" in text
    assert "Seeds 1, 2, 3." in text
    assert "Not run yet" in section(table, {}, {})


def test_page_changes_between_the_markers_alone(table: Table, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- reproduce: two-ways -->\nold words\n<!-- end of two-ways -->\nafter\n")
    update_page(page, {"two-ways": "new words\n"})
    once = page.read_text()
    assert once.startswith("before\n<!-- reproduce: two-ways -->")
    assert once.endswith("<!-- end of two-ways -->\nafter\n")
    assert "new words" in once
    assert "old words" not in once
    update_page(page, {"two-ways": "new words\n"})
    assert page.read_text() == once
    with pytest.raises(InputError, match="lacks the lines"):
        update_page(page, {"three-ways": ""})
    with pytest.raises(InputError, match="does not exist"):
        update_page(tmp_path / "none.md", {})
