"""Wishes and what follows from them, without Qt."""

import numpy as np
import pytest
from conftest import FakeMethod, make_study

from mrviewer.errors import InputError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.method import Fit, Needs, Task
from mrviewer.progress import finish
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer.sampling import make_mask
from mrviewer_napari.computing.method_catalogue import MethodCatalogue
from mrviewer_napari.computing.outcomes import OutcomeStore, Request, run_volume
from mrviewer_napari.facts import method_facts, study_facts, tile_texts
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_key import TileKind
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel_state import PanelState


@pytest.fixture
def scan() -> Scan:
    return finish(load_scan(make_study()))


def test_ticking_keeps_the_order_of_the_methods_and_tells() -> None:
    state, heard = PanelState(), []
    state.events.methods.connect(heard.append)
    order = ("a", "b", "c")
    state.tick("c", True, order)
    state.tick("a", True, order)
    state.tick("c", False, order)
    assert heard == [("c",), ("a", "c"), ("a",)]


def test_an_equal_wish_is_not_told_again() -> None:
    state, heard = PanelState(), []
    state.events.mask.connect(heard.append)
    state.mask = SamplingCondition()
    state.mask = SamplingCondition(acceleration=8)
    assert heard == [SamplingCondition(acceleration=8)]


def test_methods_that_do_not_fit_say_why_and_are_not_run() -> None:
    misfit = FakeMethod("t1-only", fit=Fit(False, "t1-only was trained on T1 and this image is FLAIR"))
    catalogue = MethodCatalogue([FakeMethod("good"), misfit])
    assert [method.card.name for method in catalogue.shown(("good", "t1-only"))] == ["good", "t1-only"]
    catalogue.look_at(make_study(), "FLAIR")
    assert method_facts.short_reason(catalogue.facts[1]) == "was trained on T1 and this image is FLAIR"
    assert [method.card.name for method in catalogue.shown(("good", "t1-only"))] == ["good"]


def test_methods_are_grouped_by_what_they_do() -> None:
    images = Needs(kspace=False)
    methods = [
        FakeMethod("liver", (Task.SEGMENT, Task.REGRESS, Task.CLASSIFY), needs=images),
        FakeMethod("unet", (Task.SEGMENT,), needs=images),
        FakeMethod("latent", (Task.SEGMENT,)),
        FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT)),
        FakeMethod("cascade"),
        FakeMethod("zero-filled"),
    ]
    catalogue = MethodCatalogue(methods)
    assert list(catalogue.methods) == ["zero-filled", "cascade", "joint", "latent", "unet", "liver"]
    kinds = [method_facts.kind_of(fact.card).name for fact in catalogue.facts]
    assert kinds == ["RECONSTRUCT", "RECONSTRUCT", "BOTH", "UNDERSAMPLED", "FULL_IMAGE", "MEASURE"]
    assert catalogue.reconstructors == ("zero-filled", "cascade", "joint")
    assert catalogue.segmenters == ("unet", "liver")


def test_a_chain_is_a_method_like_any_other() -> None:
    catalogue = MethodCatalogue([FakeMethod("cascade"), FakeMethod("unet", (Task.SEGMENT,), needs=Needs(kspace=False))])
    catalogue.set_chains(["cascade+unet"])
    assert method_facts.kind_of(catalogue.methods["cascade+unet"].card) is method_facts.MethodKind.CHAIN
    chain = catalogue.methods["cascade+unet"]
    catalogue.set_chains(["cascade+unet"])
    assert catalogue.methods["cascade+unet"] is chain
    for name in ("unet+cascade", "cascade+ghost", "cascade+cascade"):
        with pytest.raises(InputError):
            catalogue.set_chains([name])
        assert list(catalogue.methods) == ["cascade", "unet", "cascade+unet"], "what was there stays"
    catalogue.set_chains([])
    assert list(catalogue.methods) == ["cascade", "unet"]


def test_tiles_show_what_is_known(scan: Scan) -> None:
    cards = [FakeMethod("joint").card, FakeMethod("unet", (Task.SEGMENT,)).card]
    tiles = {spec.key: spec.kind for spec in tile_texts.tile_specs(scan, cards)}
    assert tiles == {
        "reference": TileKind.IMAGE,
        "joint": TileKind.IMAGE,
        "unet": TileKind.IMAGE,
        "joint:error": TileKind.ERROR,
    }


def test_without_a_reference_there_is_no_error_tile(scan: Scan) -> None:
    unknown = Scan(scan.study, scan.modality, scan.raw, scan.geometry, None, None, 1.0)
    assert [spec.key for spec in tile_texts.tile_specs(unknown, [FakeMethod("joint").card])] == ["joint"]
    rows = dict(study_facts.study_facts(unknown))
    assert rows["Reference"] == "none: acquired undersampled"
    assert rows["Labels"] == "none"


def test_tile_text_gives_the_quality_of_the_slice(scan: Scan) -> None:
    card = FakeMethod("joint").card
    assert scan.reference is not None
    exact = SliceResult(2, scan.reference[2] * np.float32(0.9), None, None)
    text = tile_texts.tile_text(card, scan, exact, "R = 4")
    error = np.mean((0.1 * scan.reference[2].astype(float)) ** 2)
    assert text.startswith("joint  R = 4\n")
    assert f"PSNR {10 * np.log10(1 / error):.2f} dB" in text
    assert tile_texts.tile_text(card, scan, None, "R = 4") == "joint  R = 4\ncomputing ..."


def test_a_tile_says_what_a_segmentation_was_made_from(scan: Scan) -> None:
    seen = SliceResult(2, None, np.zeros((40, 32), np.uint8), None)
    full, latent = (FakeMethod("s", (Task.SEGMENT,), needs=Needs(kspace=kspace)).card for kspace in (False, True))
    assert tile_texts.tile_text(full, scan, seen, "R = 4") == "s  fully sampled\nover the reference"
    assert tile_texts.tile_text(latent, scan, seen, "R = 4") == "s\nfrom R = 4, over the reference"


def test_study_facts_are_those_of_the_grid(scan: Scan) -> None:
    rows = dict(study_facts.study_facts(scan))
    assert rows["Matrix"] == "32 x 40 x 6"
    assert rows["Slices"].endswith("axial")
    assert rows["K-space"] == "simulated from magnitude"
    assert rows["Labels"] == f"{(2 * 25 + 9) * 3e-3:.2f} ml"


def test_mask_facts_count_lines() -> None:
    mask = make_mask("random", (40, 32), 4.0, 0.125, 0)
    assert study_facts.mask_facts(mask) == "8 of 32 lines, achieved acceleration 4.00"


def test_the_card_as_text_escapes_what_it_is_given() -> None:
    card = FakeMethod("a<b").card
    assert "a&lt;b" in method_facts.card_html(card)


def test_the_store_forgets_the_least_recently_used(scan: Scan) -> None:
    masks = [make_mask("random", scan.plane_shape, 4.0, 0.08, seed) for seed in range(3)]
    outcomes = [finish(run_volume(scan, FakeMethod("joint"), mask, start=0, device="cpu")) for mask in masks]
    store = OutcomeStore(max_bytes=2 * outcomes[0].n_bytes)
    store.put(outcomes[0])
    store.put(outcomes[1])
    assert store.get(outcomes[0].request) is outcomes[0]
    store.put(outcomes[2])
    assert store.get(outcomes[1].request) is None
    assert store.get(outcomes[0].request) is outcomes[0]
    assert store.get(Request("other", "FLAIR", masks[0])) is None


def test_an_outcome_measures_what_is_known(scan: Scan) -> None:
    mask = make_mask("full", scan.plane_shape)
    joint = FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT))
    outcome = finish(run_volume(scan, joint, mask, start=3, device="cpu"))
    assert outcome.assessment.segmentation is not None
    assert outcome.assessment.segmentation.dice == 1
    assert outcome.assessment.lesions is not None
    assert {row.id: row.status for row in outcome.assessment.lesions.rows} == {1: "found", 2: "found"}
    assert all(row.error_percent == pytest.approx(0, abs=1e-3) for row in outcome.assessment.lesions.rows)
    bare = finish(load_scan(make_study(labels=False)))
    assert finish(run_volume(bare, joint, mask, start=0, device="cpu")).assessment.lesions is None
