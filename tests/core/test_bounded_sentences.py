"""Sentences about damaged files name the file and stay short, whatever the file holds."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_array

from mrviewer.database import survey_database
from mrviewer.errors import FileFormatError, InputError, WeightsError
from mrviewer.experiments.table_files import read_table
from mrviewer.finetuning.run_folder.plan import FinetunePlan, read_plan, write_plan
from mrviewer.methods.own.cards import own_card
from mrviewer.methods.own.weights_record import OwnModel
from mrviewer.methods.registry import get_method
from mrviewer.plain_text import shortened
from mrviewer.progress import finish
from mrviewer.readers.arrays.bart import bart_array
from mrviewer.sampling.mask_file import load_mask

LONGEST = 300


def test_texts_are_cut_where_they_are_repeated() -> None:
    assert shortened("lesions") == "lesions"
    assert shortened("9" * 5000) == "9" * 59 + "…"


def test_sizes_that_no_disk_holds_are_not_written_out(tmp_path: Path) -> None:
    (tmp_path / "a.cfl").write_bytes(bytes(8 * 16))
    (tmp_path / "a.hdr").write_text("# Dimensions\n4 4 1 1" + "0" * 900 + "\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"a\.") as caught:
        bart_array(tmp_path / "a.cfl")
    assert len(str(caught.value)) < LONGEST


def test_a_plan_that_cannot_be_meant_is_named(tmp_path: Path) -> None:
    plan = FinetunePlan(method="unet-full", database=("heads",), output=str(tmp_path), name="run")
    path = write_plan(plan)
    path = path / "plan.json" if path.is_dir() else path
    share = f'"validation_share": {plan.validation_share}'
    text = path.read_text(encoding="utf-8")
    assert share in text
    path.write_text(text.replace(share, '"validation_share": 1e94'), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json cannot be meant: the validation share is 1e\+94"):
        read_plan(path)


def test_a_sparse_mask_of_a_damaged_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.mat"
    savemat(path, {"mask": csc_array(np.eye(16))})
    content = path.read_bytes()
    said = []
    # Any byte of the sparse matrix may be wrong: each is refused in one sentence, or does no harm.
    for place, value in product(range(128, len(content)), (0, 255)):
        path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        try:
            load_mask(path)
        except (FileFormatError, InputError) as error:
            said.append(str(error))
    assert said
    assert max(map(len, said)) < LONGEST


def test_tables_do_not_repeat_long_names(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text(f'{"9" * 5000} = 1\ntitle = "a"\n', encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"table\.toml") as caught:
        read_table(tmp_path / "table.toml")
    assert len(str(caught.value)) < LONGEST


def test_a_path_of_a_table_stays_on_one_line(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text('subject,FLAIR\na,"a.nii\t1.5\nb\tb.nii"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"table\.csv") as caught:
        finish(survey_database(table))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < LONGEST


def test_needs_of_a_model_are_not_repeated_at_length() -> None:
    card = get_method("unet-full").card
    model = OwnModel("mine", Path("mine.safetensors"), "unet-full", about={"needs": {"x" * 5000: 1}})
    with pytest.raises(WeightsError, match=r"mine\.safetensors") as caught:
        own_card(model, card)
    assert len(str(caught.value)) < LONGEST
