"""Figures of regressed values and classes: laws, hand-made cases, and what cannot be computed."""

import numpy as np
import pytest

from mrviewer.errors import InputError, ShapeError
from mrviewer.metrics.regression import area_under_curve, classification_quality, regression_quality


def test_a_hand_made_regression() -> None:
    quality = regression_quality([1.0, 2.0, 4.0], [1.0, 3.0, 5.0])
    assert quality.mae == pytest.approx(2 / 3)
    assert quality.rmse == pytest.approx(np.sqrt(2 / 3))
    assert quality.r2 == pytest.approx(1 - 2 / 8)
    assert quality.pearson_r == pytest.approx(0.9819805)
    assert quality.n == 3


def test_the_truth_is_perfect_and_the_mean_explains_nothing() -> None:
    truth = np.random.default_rng(0).normal(size=20)
    perfect = regression_quality(truth, truth)
    assert (perfect.mae, perfect.rmse, perfect.r2) == (0, 0, 1)
    assert perfect.pearson_r == pytest.approx(1)
    mean = regression_quality(np.full(20, truth.mean()), truth)
    assert mean.r2 == pytest.approx(0)
    assert mean.pearson_r is None
    # A shifted and scaled answer correlates all the same, and is still wrong.
    shifted = regression_quality(3 * truth + 1, truth)
    assert shifted.pearson_r == pytest.approx(1)
    assert shifted.r2 is not None
    assert shifted.r2 < 0


def test_studies_without_an_answer_are_left_out_and_counted() -> None:
    quality = regression_quality([1.0, np.nan, 4.0], [1.0, 3.0, np.inf])
    assert (quality.n, quality.mae) == (1, 0)
    assert quality.r2 is None
    with pytest.raises(InputError, match="no study has both a prediction and a truth"):
        regression_quality([np.nan], [1.0])
    with pytest.raises(ShapeError, match=r"predictions are \(2,\) and truths \(1,\)"):
        regression_quality([1.0, 2.0], [1.0])


def test_a_hand_made_classification() -> None:
    shares = [[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]
    quality = classification_quality(shares, [0, 1, 1, 1])
    assert quality.accuracy == 0.75
    first, second, third = quality.classes
    assert (first.sensitivity, first.specificity, first.f1, first.n) == (
        1,
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
        1,
    )
    assert (second.sensitivity, second.specificity, second.n) == (pytest.approx(2 / 3), 1, 3)
    assert (first.auc, second.auc) == (1, 1)
    assert (third.sensitivity, third.f1, third.auc, third.specificity) == (None, None, None, 1)


def test_the_area_is_the_chance_to_rank_a_pair_rightly() -> None:
    rng = np.random.default_rng(1)
    scores, marked = np.round(rng.random(40), 1), rng.random(40) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[marked] for b in scores[~marked]]
    area = area_under_curve(scores, marked)
    assert area == pytest.approx(np.mean(pairs))
    assert area_under_curve(-scores, marked) == pytest.approx(1 - float(np.mean(pairs)))
    assert area_under_curve(np.exp(scores), marked) == pytest.approx(area)
    assert area_under_curve(scores, np.ones(40, bool)) is None


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"probabilities are \(1, 2\) \(study, class\) and 1 classes are true"):
        classification_quality([[0.5, 0.5]], [2])
    with pytest.raises(InputError, match="no study to classify"):
        classification_quality(np.zeros((0, 2)), [])
