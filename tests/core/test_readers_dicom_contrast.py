"""Which contrast a header proposes."""

import pytest

from mrviewer.readers.dicom.contrast import SequenceFacts, propose_modality


@pytest.mark.parametrize(
    ("words", "modality"),
    [
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("t2_tse FLAIR", "FLAIR"),
        ("AX T2 FLAIR FS", "FLAIR"),
        ("t1_mprage_sag_p2_iso", "T1"),
        ("B Ax T1 +C", "T1Gd"),
        ("T1post", "T1Gd"),
        ("T1pre_reg", "T1"),
        ("t2_tse_tra_512", "T2"),
        ("T2* GRE", "T2*"),
        ("ep2d_diff_ADC", "ADC"),
        ("DTI 64 directions", "DWI"),
        ("PD_tse", "PD"),
        ("AAHead_Scout", "unknown"),
        ("Field Map", "unknown"),
    ],
)
def test_words_of_the_technician(words: str, modality: str) -> None:
    assert propose_modality(SequenceFacts(descriptions=(words,))) == modality


@pytest.mark.parametrize(
    ("sequence", "repetition_ms", "echo_ms", "inversion_ms", "modality"),
    [
        (("SE", "IR"), 9000, 120, 2500, "FLAIR"),
        (("SE", "IR"), 5000, 15, 1800, "T1"),
        (("SE",), 500, 10, 0, "T1"),
        (("SE",), 4000, 95, 0, "T2"),
        (("SE",), 3000, 15, 0, "PD"),
        (("GR",), 700, 25, 0, "T2*"),
        (("GR",), 20, 3, 0, "unknown"),
        (("SE", "EP"), 6000, 90, 0, "unknown"),
        (("GR",), 2300, 3, 900, "unknown"),
        ((), 0, 0, 0, "unknown"),
    ],
)
def test_times_tell_where_words_do_not(
    sequence: tuple[str, ...], repetition_ms: float, echo_ms: float, inversion_ms: float, modality: str
) -> None:
    facts = SequenceFacts(
        scanning_sequence=sequence, repetition_ms=repetition_ms, echo_ms=echo_ms, inversion_ms=inversion_ms
    )
    assert propose_modality(facts) == modality


@pytest.mark.parametrize(
    ("agent", "words", "modality"),
    [
        ("Dotarem 10 ml", "t1_se_tra", "T1Gd"),
        ("NONE", "t1_se_tra", "T1"),
        ("", "t1_se_tra", "T1"),
        ("Dotarem", "T1 pre contrast", "T1"),
        ("", "t1_se_tra + KM", "T1Gd"),
        ("Dotarem", "t2_tse", "T2"),
    ],
)
def test_an_agent_makes_t1_enhanced(agent: str, words: str, modality: str) -> None:
    assert propose_modality(SequenceFacts(descriptions=(words,), contrast_agent=agent)) == modality


def test_a_long_inversion_makes_t2_attenuated() -> None:
    facts = SequenceFacts(descriptions=("t2_space_ir",), repetition_ms=5000, echo_ms=390, inversion_ms=1800)
    assert propose_modality(facts) == "FLAIR"


def test_what_the_scanner_states_of_a_map_is_certain() -> None:
    words = ("t1_se",)
    assert propose_modality(SequenceFacts(words, image_type=("DERIVED", "PRIMARY", "DIFFUSION", "ADC"))) == "ADC"
    assert propose_modality(SequenceFacts(words, b_value=1000)) == "DWI"
    assert propose_modality(SequenceFacts(enhanced_contrast="FLUID_ATTENUATED")) == "FLAIR"


@pytest.mark.parametrize("words", ["T1 map", "T2_map", "B0 mapping", "SUB T1 post - pre", "T1 subtraction"])
def test_the_times_of_a_sequence_do_not_make_a_map_a_weighted_image(words: str) -> None:
    facts = SequenceFacts(descriptions=(words,), scanning_sequence=("SE",), repetition_ms=500, echo_ms=10)
    assert propose_modality(facts) == "unknown"
