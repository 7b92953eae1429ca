"""What file names tell."""

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from name_grammar import Named, any_image_names, label_names, untold_names, visits

from mrviewer.names.image_names import (
    MODALITIES,
    canonical_modality,
    file_stem,
    guess_modality,
    is_brain_mask,
    label_rank,
    read_names,
)
from mrviewer.names.label_words import LabelKind, label_kind


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("FLAIR_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz", "FLAIR"),
        ("T1_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz", "T1"),
        ("T1POST_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz", "T1Gd"),
        ("T2_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz", "T2"),
        ("study1_FLAIR.nii.gz", "FLAIR"),
        ("fla.nii.gz", "FLAIR"),
        ("t1c.nii.gz", "T1Gd"),
        ("BraTS20_Training_001_t1ce.nii.gz", "T1Gd"),
        ("BraTS-GLI-00000-000-t1n.nii.gz", "T1"),
        ("BraTS-GLI-00000-000-t2f.nii.gz", "FLAIR"),
        ("BraTS-GLI-00000-000-t2w.nii.gz", "T2"),
        ("T1_Gd.nii", "T1Gd"),
        ("T1Gd.nii", "T1Gd"),
        ("T1-post.nii", "T1Gd"),
        ("Post_Scan_T1.nii.gz", "T1"),
        ("sub-01_ce-gadolinium_T1w.nii.gz", "T1Gd"),
        ("sub-strokecase0009_ses-0001_dwi.nii.gz", "DWI"),
        ("sub-strokecase0009_ses-0001_adc.nii.gz", "ADC"),
        ("sub-01_T2starw.nii.gz", "T2*"),
        ("t2s.nii.gz", "T2*"),
        ("T2_star.nii.gz", "T2*"),
        ("T2*.nii.gz", "T2*"),
        ("T2_FLAIR.nii.gz", "FLAIR"),
        ("T2-FLAIR.nii.gz", "FLAIR"),
        ("3DFLAIR.nii.gz", "FLAIR"),
        ("PD001_FLAIR3D.nii.gz", "FLAIR"),
        ("T13D.nii.gz", "T1"),
        ("x_T22D.nii.gz", "T2"),
        ("MPRAGE3D.nii.gz", "T1"),
        ("sub-01_PDw.nii.gz", "PD"),
        ("mprage.nii.gz", "T1"),
        ("brainT1.nii.gz", "T1"),
        ("patient3FLAIR.nii", "FLAIR"),
        ("dmri.nii.gz", "DWI"),
        ("T1map.nii.gz", "unknown"),
        ("mt0.nii.gz", "unknown"),
        ("anatomical.nii", "unknown"),
        ("hippocampus_001.nii.gz", "unknown"),
        ("flairs of genius.nii", "unknown"),
        ("", "unknown"),
    ],
)
def test_modality_of_a_name(name: str, modality: str) -> None:
    assert guess_modality(name) == modality
    assert guess_modality(Path("T2") / name) == (modality if name else "T2")


@pytest.mark.parametrize("modality", MODALITIES)
def test_our_own_spelling_is_understood(modality: str) -> None:
    assert guess_modality(f"{modality}.nii.gz") == modality
    assert canonical_modality(modality) == modality
    assert canonical_modality(modality.lower()) == modality


@pytest.mark.parametrize(
    ("given", "canonical"),
    [("t1ce", "T1Gd"), ("flair", "FLAIR"), ("Labels", "labels"), ("SWI", "SWI"), ("unknown", "unknown")],
)
def test_a_modality_that_a_person_gives(given: str, canonical: str) -> None:
    assert canonical_modality(given) == canonical


@pytest.mark.parametrize(
    "name",
    [
        "GOLD_STANDARD_N4_noneck_reduced_winsor_regtoFLAIR_regtoMNI.nii.gz",
        "consensus_gt.nii.gz",
        "sub-strokecase0009_ses-0001_msk.nii.gz",
        "tumor_mask_256.nii.gz",
        "Pre_Mask.nii.gz",
        "t2_seg-manual.nii.gz",
        "T1_seg.nii.gz",
        "lesion.nii.gz",
        "lesionMask.nii",
        "labels.nii.gz",
    ],
)
def test_names_of_labels(name: str) -> None:
    assert label_rank(name) is not None


@pytest.mark.parametrize(
    "name",
    ["FLAIR.nii.gz", "brainmask.nii.gz", "brain_mask.nii.gz", "t2_fake_lesion.nii.gz", "segway.nii", "masked.nii"],
)
def test_names_of_no_labels(name: str) -> None:
    assert label_rank(name) is None


def test_a_gold_standard_is_surer_than_a_mask() -> None:
    ranks = [label_rank(name) for name in ("gold_standard.nii", "consensus.nii", "seg.nii", "mask.nii", "lesion.nii")]
    assert None not in ranks
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.nii.gz", "a"),
        ("a.b.nii", "a.b"),
        ("A.NII.GZ", "A"),
        ("anisotropic_5.5x5.5mm.nii.gz", "anisotropic_5.5x5.5mm"),
    ],
)
def test_the_stem_of_a_name(name: str, stem: str) -> None:
    assert file_stem(Path("folder") / name) == stem


@settings(deadline=None)
@given(any_image_names)
def test_a_name_tells_the_contrast_it_was_made_with(named: Named) -> None:
    assert guess_modality(named.name) == named.modality
    assert label_rank(named.name) is None


@settings(deadline=None)
@given(untold_names)
def test_maps_subtractions_and_identities_are_not_weighted_images(named: Named) -> None:
    assert guess_modality(named.name) == "unknown"


@settings(deadline=None)
@given(label_names)
def test_labels_are_known_by_their_names(name: str) -> None:
    assert label_rank(name) is not None


@settings(deadline=None)
@given(visits, st.sampled_from(("_", "-", " ")), st.sampled_from(("", "P7_", "anna_")))
def test_a_word_that_all_images_of_a_folder_share_is_a_visit(visit: str, sign: str, before: str) -> None:
    means = {"FLAIR": "FLAIR", "T1": "T1", "T2": "T2", "T1_post": "T1Gd"}
    paths = {Path(f"{before}{visit}{sign}{told}.nii.gz"): modality for told, modality in means.items()}
    mask = Path(f"{before}{visit}{sign}lesion.nii.gz")
    readings = read_names([*paths, mask])
    assert {path: readings[path].modality for path in paths} == paths
    assert readings[mask].label_rank is not None
    assert all(visit.lower() in reading.words for reading in readings.values())


@pytest.mark.parametrize(
    "names",
    [
        {"s1_T1.nii": "T1", "s2_T1.nii": "T1", "s3_T1.nii": "T1"},
        {"T2.nii": "T2", "T2_FLAIR.nii": "FLAIR"},
        {"ax_T2.nii": "T2", "sag_T2_FLAIR.nii": "FLAIR"},
        {"T1_pre.nii": "T1", "T1_post.nii": "T1Gd"},
        {"T1_brain.nii": "T1", "T1_brain_N4.nii": "T1"},
        {"P1_T1_FLAIR.nii": "FLAIR", "P1_T2_FLAIR.nii": "FLAIR"},
        {"T1_dwi.nii": "DWI", "T2_dwi.nii": "DWI"},
        {"T1_001.nii": "T1", "T1_002.nii": "T1"},
        {"T1_FLAIR.nii": "FLAIR", "T1_T2.nii": "T2", "T1_scan.nii": "unknown"},
        {"sub-01_run-1_T1w.nii": "T1", "sub-01_run-2_T1w.nii": "T1"},
    ],
)
def test_names_of_one_folder_are_read_together(names: dict[str, str]) -> None:
    readings = read_names([Path(name) for name in names])
    assert {path.name: reading.modality for path, reading in readings.items()} == names


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("Ax T1 FLAIR", "T1"),
        ("P1_T1_FLAIR", "FLAIR"),
        ("Ax DWI ADC", "ADC"),
        ("SUB T1 post - pre", "unknown"),
        ("AX T1 C-", "T1"),
        ("AX T1 +C", "T1Gd"),
        ("t1_mpr_ns_sag_p2_iso_KM", "T1Gd"),
        ("T1 ohne KM", "T1"),
        ("T1 without contrast", "T1"),
        ("T1_w/o_contrast", "T1"),
        ("T1_post_op", "T1"),
        ("Ax T2 GRE", "T2*"),
        ("C-pre", "pre-contrast"),
        ("C+A", "arterial"),
        ("C+Delay", "delayed"),
        ("T1 in phase", "T1"),
    ],
)
def test_descriptions_are_read_as_the_field_means_them(name: str, modality: str) -> None:
    assert canonical_modality(name) == (modality if modality != "unknown" else name)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("Apparent_Diffusion_Coefficient", "ADC"),
        ("carte_T1", "unknown"),
        ("cartographie_T2", "unknown"),
        ("mappa_T1", "unknown"),
        ("T1_Subtraktion", "unknown"),
        ("soustraction_T1", "unknown"),
        ("T1_T2_ratio", "unknown"),
        ("CT_to_T1", "unknown"),
        ("PET_in_T1_space", "unknown"),
        ("MNI_reg_to_T1", "unknown"),
        ("T1_reg_to_FLAIR", "T1"),
        ("reg_T1", "T1"),
        ("c1T1", "unknown"),
        ("mwp2sub-01_T1w", "unknown"),
        ("c0001s0001t01_t1w_stx", "T1"),
        ("c1_T1", "T1"),
        ("T1_avec_injection", "T1Gd"),
        ("T1_sans_injection", "T1"),
        ("DTI_TR", "unknown"),
    ],
)
def test_words_of_other_languages_and_programs_are_understood(name: str, modality: str) -> None:
    assert guess_modality(f"{name}.nii.gz") == modality


@pytest.mark.parametrize(
    "name",
    ["FLAIR_Segmentierung", "L\u00e4sionen", "FLAIR_L\u00e4sionen", "FLAIR_lesions", "T1_GTV", "T1_VOI", "rater1",
     "rois", "FLAIR_rater2", "ples_lpa_mrFLAIR", "sub-01_T2w_seg-manual", "sub-01_T2w_label-lesion",
     "WML", "T1_blackholes"],
)  # fmt: skip
def test_labels_have_names_in_other_languages_and_habits(name: str) -> None:
    assert label_rank(f"{name}.nii.gz") is not None
    assert label_rank(normalize("NFD", f"{name}.nii.gz")) is not None


def test_the_brain_of_a_standard_name_is_no_lesion() -> None:
    assert label_rank("sub-01_T2w_seg-brain.nii.gz") is None
    assert guess_modality("sub-01_desc-brain_T1w.nii.gz") == "T1"


_DRAWN = (
    "{}_segmented",
    "{}_hyperintensities",
    "{}_staple",
    "{}_Läsionsmaske",
    "{}_lesionseg",
    "{}_annotated",
    "{}_radiologist",
    "{}_manual",
    "manual_{}",
    "{}_consensus",
    "lesions_{}",
    "{}_lesion",
    "{}_reader2",
    "{}_truth",
    "{}_outline",
)
_FOUND = (
    "{}_prob", "{}_pred", "lst_lpa_{}", "ples_lga_0.1_rm{}", "{}_probmap", "{}_softmax", "{}_autoseg", "{}_samseg",
    "{}_lesion_prob", "{}_nnUNet_pred", "predicted_{}", "bianca_{}", "{}_pred_mask",
)  # fmt: skip
_HEALTHY = (
    "{}_aseg",
    "aparc+aseg",
    "{}_pve_0",
    "{}_tissue_seg",
    "{}_fast_seg",
    "wmparc",
    "{}_wm",
    "sub-1_label-GM_probseg",
)
_BRAINS = ("{}_brain_mask", "brainmask", "mask_brain_{}", "{}_bet_mask", "ICV_mask", "BrainExtractionMask", "Hirnmaske")


@pytest.mark.parametrize("modality", ["FLAIR", "T1", "T2w", "mprage"])
def test_words_of_labels_decide_before_those_of_modalities(modality: str) -> None:
    kinds = ((_DRAWN, LabelKind.LESIONS), (_FOUND, LabelKind.MACHINE), (_HEALTHY, LabelKind.ANATOMY))
    ranks: list[set[int]] = []
    for patterns, kind in kinds:
        names = [pattern.format(modality) for pattern in patterns]
        assert {name: label_kind(name) for name in names} == dict.fromkeys(names, kind)
        assert {guess_modality(f"{name}.nii.gz") for name in names} == {"unknown"}
        ranks.append({rank for name in names if (rank := label_rank(name)) is not None})
    assert max(ranks[0]) < min(ranks[1]) <= max(ranks[1]) < min(ranks[2])
    for pattern in _BRAINS:
        assert is_brain_mask(pattern.format(modality))
        assert label_rank(pattern.format(modality)) is None
        assert guess_modality(pattern.format(modality)) == "unknown"


@pytest.mark.parametrize(
    "name",
    ["T1_brain", "T1_lesion_filled", "T1_manual_reg", "FLAIR_bet", "lesion_T1", "T2_hippocampus", "T1_auto_align"],
)
def test_an_image_that_was_processed_stays_an_image(name: str) -> None:
    assert label_kind(name) is None
    assert guess_modality(name) in ("T1", "T2", "FLAIR")


@pytest.mark.parametrize("name", ["white_matter_lesions", "WM_lesion_mask", "brain_tumor_seg", "freesurfer_wmh_mask"])
def test_a_word_of_illness_goes_before_those_of_anatomy(name: str) -> None:
    assert label_kind(name) is LabelKind.LESIONS


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("DP", "PD"), ("DP_preprocessed", "PD"), ("3DDP", "PD"), ("DP_007", "unknown"), ("DP_T2", "T2"),
        ("GADO", "T1Gd"), ("GADO_preprocessed", "T1Gd"), ("3DT1GADO", "T1Gd"), ("angio_gado", "unknown"),
        ("Gd_FLAIR", "FLAIR"), ("no_gado", "unknown"), ("Proton_Density", "PD"), ("proton-density-tse", "PD"),
        ("FLAIRreg", "FLAIR"), ("T2reg", "T2"), ("rFLAIRbrain", "FLAIR"), ("T1toFLAIR", "T1"), ("T1Gdreg", "T1Gd"),
        ("t1_mprage_sag", "T1"), ("T2relaxometry", "unknown"),
    ],
)  # fmt: skip
def test_more_habits_of_writing_a_modality(name: str, modality: str) -> None:
    assert guess_modality(f"{name}.nii.gz") == modality


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("FLAIRmask", LabelKind.LESIONS), ("t1seg", LabelKind.LESIONS), ("lesionsFLAIR", LabelKind.LESIONS),
        ("FLAIRpred", LabelKind.MACHINE), ("T1wprob", LabelKind.MACHINE), ("T1aseg", LabelKind.ANATOMY),
        ("T1brainmask", LabelKind.BRAIN), ("FLAIRmasked", None), ("FLAIRprobe", None), ("maskedT1", None),
    ],
)  # fmt: skip
def test_a_modality_and_labels_may_be_one_word(name: str, kind: LabelKind | None) -> None:
    assert label_kind(name) is kind
