"""Names of files as people give them, drawn with what they mean: BIDS, MSD, nnU-Net, MSLesSeg, BraTS, ISLES, habits."""

from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Named", "any_image_names", "bids_image_names", "bids_labels", "label_names", "untold_names", "visits"]


@dataclass(frozen=True)
class Named:
    """A name, and what it means by how it was made."""

    name: str
    modality: str


SPELLINGS = {
    "FLAIR": ("FLAIR", "flair", "Flair", "T2_FLAIR", "t2-flair", "FLAIR3D", "3D_FLAIR", "t2_tirm_tra_dark-fluid"),
    "T1": ("T1", "t1", "T1w", "T1W", "t1_mprage_sag", "MPRAGE", "t1n", "3DT1", "T1_pre", "T1_C-", "T1w_precontrast"),
    "T1Gd": (
        "T1Gd", "t1ce", "t1c", "T1_post", "T1POST", "T1_Gd", "T1_C+", "T1+C", "t1_mprage_tra_KM", "T1_nach_KM",
        "T1w_ce", "T1_+Gd", "t1_se_cor_post", "T1_postcontrast",
    ),
    "T2": ("T2", "t2", "T2w", "T2W", "t2_tse_tra", "T2_FSE", "t2w"),
    "T2*": ("T2star", "T2_star", "T2s", "T2starw", "T2*"),
    "PD": ("PD", "PDw", "pd_tse"),
    "DWI": ("DWI", "dwi", "dti"),
    "ADC": ("ADC", "adc", "ADC_map", "DWI_ADC"),
}  # fmt: skip
"""Ways to write a contrast at the end of a name."""

BIDS_SUFFIXES = {
    "FLAIR": "FLAIR", "T1w": "T1", "T2w": "T2", "PDw": "PD", "T2starw": "T2*", "dwi": "DWI", "adc": "ADC",
    "UNIT1": "T1", "inplaneT2": "T2",
}  # fmt: skip
MISLEADING = (
    "T1",
    "T2",
    "T1w",
    "T2w",
    "FLAIR",
    "PD01",
    "PD",
    "DWI",
    "ADC",
    "flair",
    "Gd",
    "post",
    "lesion",
    "mask",
    "map",
)
"""Values of entities, identities and visits that look like a contrast or like labels."""
_ENTITIES = ("ses", "acq", "dir", "run", "space", "res", "label", "desc")
_NUMBERS = st.integers(1, 999).map("{:03}".format)


@st.composite
def bids_stems(draw: st.DrawFn) -> str:
    """Subject and entities, in the order of the standard, with values that mislead."""
    subject = draw(st.sampled_from(("01", "PD01", "T1", "T2", "FLAIR", "strokecase0009")))
    values = draw(st.dictionaries(st.sampled_from(_ENTITIES), st.sampled_from((*MISLEADING, "1", "MNI152"))))
    return "_".join((f"sub-{subject}", *(f"{key}-{values[key]}" for key in _ENTITIES if key in values)))


@st.composite
def bids_image_names(draw: st.DrawFn) -> Named:
    stem, suffix = draw(bids_stems()), draw(st.sampled_from(sorted(BIDS_SUFFIXES)))
    return Named(f"{stem}_{suffix}.nii.gz", BIDS_SUFFIXES[suffix])


@st.composite
def bids_untold_names(draw: st.DrawFn) -> Named:
    suffixes = (
        "T1map",
        "T2map",
        "R2starmap",
        "T2starmap",
        "PDmap",
        "Chimap",
        "bold",
        "epi",
        "phasediff",
        "asl",
        "angio",
    )
    parts = ("part-phase_T1w", "part-real_T2w", "part-imag_T2starw", *suffixes)
    return Named(f"{draw(bids_stems())}_{draw(st.sampled_from(parts))}.nii.gz", "unknown")


bids_labels = st.builds(
    lambda stem, suffix: f"{stem}_{suffix}.nii.gz",
    bids_stems().filter(lambda stem: "-brain" not in stem),
    st.sampled_from(("mask", "dseg", "msk", "lesion-msk")),
)


def _spelled(stems: st.SearchStrategy[str], join: str = "_") -> st.SearchStrategy[Named]:
    """Names that end with the contrast."""
    return st.tuples(stems, st.sampled_from(sorted(SPELLINGS))).flatmap(
        lambda drawn: st.sampled_from(SPELLINGS[drawn[1]]).map(
            lambda spelling: Named(f"{drawn[0]}{join}{spelling}.nii.gz", drawn[1])
        )
    )


brats_names = st.builds(
    lambda place, number, visit, told: Named(f"BraTS-{place}-{number:05}-{visit:03}-{told[0]}.nii.gz", told[1]),
    st.sampled_from(("GLI", "MET", "PED", "SSA", "MEN")),
    st.integers(0, 99999),
    st.integers(0, 5),
    st.sampled_from((("t1n", "T1"), ("t1c", "T1Gd"), ("t2w", "T2"), ("t2f", "FLAIR"))),
) | st.builds(
    lambda year, number, told: Named(f"BraTS{year}_Training_{number:03}_{told[0]}.nii.gz", told[1]),
    st.integers(18, 21),
    st.integers(1, 400),
    st.sampled_from((("t1", "T1"), ("t1ce", "T1Gd"), ("t2", "T2"), ("flair", "FLAIR"))),
)
mslesseg_names = st.builds(
    lambda patient, visit, told: Named(f"P{patient}_T{visit}_{told[0]}.nii.gz", told[1]),
    st.integers(1, 75),
    st.integers(1, 4),
    st.sampled_from((("FLAIR", "FLAIR"), ("T1", "T1"), ("T2", "T2"))),
)
isles_names = st.builds(
    lambda number, told: Named(f"VSD.Brain.XX.O.MR_{told[0]}.{number}.nii", told[1]),
    st.integers(10000, 130000),
    st.sampled_from((("Flair", "FLAIR"), ("T1", "T1"), ("T1c", "T1Gd"), ("T2", "T2"), ("DWI", "DWI"), ("ADC", "ADC"))),
)
identities = st.builds(
    "{}{}{}".format,
    st.sampled_from(("PD", "PD_", "PD-", "T1-", "sub", "sub_", "P", "case-")),
    _NUMBERS,
    st.sampled_from(("", "_v2", "_baseline", "_T0")),
)
habit_names = (
    _spelled(identities)
    | _spelled(st.sampled_from(("Ax", "SAG", "anna", "study1", "2019-01-02", "patient 7")), " ")
    | st.builds(
        lambda one, other, link: Named(f"{one[0]}_{link}_{other}.nii.gz", one[1]),
        st.sampled_from((("T1", "T1"), ("FLAIR", "FLAIR"), ("T2w", "T2"), ("ADC", "ADC"))),
        st.sampled_from(("FLAIR", "T1", "MNI", "T1w")),
        st.sampled_from(("to", "in", "reg_to", "coreg", "regto")),
    ).filter(lambda named: len(set(named.name.removesuffix(".nii.gz").lower().replace("w", "").split("_"))) > 2)
)  # fmt: skip

any_image_names = bids_image_names() | brats_names | mslesseg_names | isles_names | habit_names

_MAPS = ("{}_map", "{} mapping", "{}map", "q{}", "map_{}", "{}_MAP_MOCO", "{}-Maps", "{}Map")
_SUBTRACTIONS = (
    "SUB {} post - pre", "{}_subtraction", "Subtr_{}", "{}_SUB", "sub_{}_post", "{}_post-pre", "{} post minus pre",
    "MIP_{}", "{}_subtracted",
)  # fmt: skip
untold_names = (
    st.builds(
        lambda number, form, told: Named(f"{number}{form.format(told)}.nii.gz", "unknown"),
        st.sampled_from(("", "12_", "P7_", "Ax ")),
        st.sampled_from(_MAPS),
        st.sampled_from(("T1", "T2")),
    )
    | st.builds(
        lambda number, form, told: Named(f"{number}{form.format(told)}.nii.gz", "unknown"),
        st.sampled_from(("", "12_", "P7_")),
        st.sampled_from(_SUBTRACTIONS),
        st.sampled_from(("T1", "T1w", "t1_vibe")),
    )
    | st.sampled_from(
        ("R2star", "R2*", "R2starmap", "T2star_map", "rCBV", "DSC_CBV", "T1_ktrans", "DTI_FA", "dti_eddy_MD", "eADC",
         "T2_localizer", "T1rho", "T1_ph")
    ).map(lambda name: Named(f"{name}.nii.gz", "unknown"))
    | bids_untold_names()
    | identities.map(lambda name: Named(f"{name}.nii.gz", "unknown"))
)  # fmt: skip

label_names = (
    bids_labels
    | mslesseg_names.map(lambda named: named.name.rpartition("_")[0] + "_MASK.nii.gz")
    | brats_names.map(lambda named: named.name.replace("_", "-").rpartition("-")[0] + "-seg.nii.gz")
    | st.integers(10000, 99999).map("VSD.Brain_3more.XX.O.OT.{}.nii".format)
    | identities.flatmap(
        lambda name: st.sampled_from(
            ("seg", "mask", "Mask", "label", "T1_seg", "FLAIR_mask", "lesionMask", "gt", "mask1")
        )
        .map(lambda word: f"{name}_{word}.nii.gz")
    )
)  # fmt: skip

visits = st.sampled_from(("T1", "T2", "PD01", "FLAIR", "KM", "post", "T1Gd", "visit1"))
"""Words that a visit, a patient or a folder may be called, and that all files of a folder then may repeat."""
