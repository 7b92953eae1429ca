"""A reconstruction written as DICOM lies on its source, has its values, and says what it was made from."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_dicom import DicomSeries
from pydicom import dcmread

from mrviewer import cli
from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.names.image_names import MODALITIES
from mrviewer.writers import write_volume
from mrviewer.writers.dicom.dicom_series import DerivedSeries, SeriesKind, write_dicom_series
from mrviewer.writers.dicom.dicom_source import DicomSource, read_sources


def derived(source: DicomSource, kind: SeriesKind = SeriesKind.ERROR, scale: float = 300.0) -> DerivedSeries:
    values = np.random.default_rng(0).normal(size=source.geometry.shape) * scale
    return DerivedSeries(kind, values.astype(np.float32), source.geometry, "d5c5, random mask, acceleration 4")


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e7])
def test_values_and_places_come_back(tmp_path: Path, source: DicomSource, scale: float) -> None:
    given = derived(source, scale=scale)
    names = write_dicom_series(tmp_path / "out", [given], source)
    images = [dcmread(tmp_path / "out" / name) for name in names]
    values = np.stack([image.pixel_array * float(image.RescaleSlope) for image in images])
    stored = source.stored(given.volume)
    assert np.abs(values - stored).max() <= np.abs(given.volume).max() / 65000
    again = read_sources(tmp_path / "out")[0]
    assert again.geometry.matches(source.geometry, 1e-6)


def test_slices_refer_to_the_slices_they_were_made_from(tmp_path: Path, source: DicomSource) -> None:
    names = write_dicom_series(tmp_path / "out", [derived(source)], source)
    uids = set()
    for name, plane in zip(names, source.planes, strict=True):
        image = dcmread(tmp_path / "out" / name)
        assert image.SourceImageSequence[0].ReferencedSOPInstanceUID == plane.header.SOPInstanceUID
        assert image.RelatedSeriesSequence[0].SeriesInstanceUID == plane.header.SeriesInstanceUID
        assert (image.StudyInstanceUID, image.FrameOfReferenceUID) == (
            plane.header.StudyInstanceUID,
            plane.header.FrameOfReferenceUID,
        )
        assert list(image.ImageType)[:2] == ["DERIVED", "SECONDARY"]
        assert image.DerivationDescription == "d5c5, random mask, acceleration 4"
        uids |= {str(image.SOPInstanceUID), str(image.SeriesInstanceUID), str(plane.header.SOPInstanceUID)}
    assert len(uids) == 2 * len(names) + 1


@pytest.mark.parametrize("modality", [*MODALITIES, "unknown"])
def test_a_derived_series_keeps_the_modality_of_its_source(tmp_path: Path, source: DicomSource, modality: str) -> None:
    for kind in SeriesKind:
        given = replace(derived(source, kind), modality=modality)
        write_dicom_series(tmp_path / kind, [given], source)
        assert read_sources(tmp_path / kind)[0].modality == modality


def test_a_contrast_agent_is_not_forgotten(tmp_path: Path, series: DicomSeries) -> None:
    for path in series.files:
        image = dcmread(path)
        image.ContrastBolusAgent = "gadobutrol"
        image.save_as(path)
    source = read_sources(series.folder)[0]
    write_dicom_series(tmp_path / "out", [derived(source, SeriesKind.RECONSTRUCTION)], source)
    assert source.modality == read_sources(tmp_path / "out")[0].modality == "T1Gd"


def test_a_modality_that_may_be_a_name_is_not_told(tmp_path: Path, source: DicomSource) -> None:
    [name, *_] = write_dicom_series(tmp_path / "out", [replace(derived(source), modality="Quixote")], source)
    assert "Quixote" not in str(dcmread(tmp_path / "out" / name).SeriesDescription)


def test_windows_fit_the_values(tmp_path: Path, source: DicomSource) -> None:
    both = [derived(source), derived(source, SeriesKind.RECONSTRUCTION)]
    names = write_dicom_series(tmp_path / "out", both, source)
    error, image = (dcmread(tmp_path / "out" / name) for name in (names[0], names[-1]))
    bright = np.percentile(np.abs(both[0].volume), 99.5)
    assert (error.WindowCenter, error.WindowWidth) == pytest.approx((0, 2 * bright), rel=1e-3)
    assert (image.WindowCenter, image.WindowWidth) == pytest.approx((bright / 2, bright), rel=1e-3)
    assert len({error.SeriesInstanceUID, image.SeriesInstanceUID, source.first.SeriesInstanceUID}) == 3


def test_an_earlier_export_is_replaced(tmp_path: Path, source: DicomSource) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "error-0099.dcm").write_bytes(b"of an earlier run")
    (folder / "mine.txt").write_text("stays")
    for _ in range(2):
        names = write_dicom_series(folder, [derived(source)], source)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "mine.txt"])


def test_all_is_written_or_nothing(tmp_path: Path, source: DicomSource) -> None:
    elsewhere = DerivedSeries(SeriesKind.ERROR, np.ones((3, 3, 3)), Geometry.axial((3, 3, 3), (1.0, 1.0, 1.0)))
    with pytest.raises(ShapeError, match="the error does not lie on the grid of series 3"):
        write_dicom_series(tmp_path / "out", [derived(source, SeriesKind.RECONSTRUCTION), elsewhere], source)
    broken = derived(source)
    broken.volume[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="not finite"):
        write_dicom_series(tmp_path / "out", [broken], source)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_both(
    tmp_path: Path, series: DicomSeries, source: DicomSource, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = derived(source).volume
    paths = [write_volume(tmp_path / f"{name}.nii.gz", np.abs(volume), source.geometry) for name in ("image", "error")]
    given = ["export-dicom", "--dicom", str(series.folder), "--output", str(tmp_path / "out")]
    assert cli.main([*given, "--reconstruction", str(paths[0]), "--error", str(paths[1])]) == 0
    assert "wrote 10 images of reconstruction and error on series 3" in capsys.readouterr().err
    assert len(read_sources(tmp_path / "out")) == 2
    assert cli.main(given) == 2


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
def test_a_validator_finds_no_error(tmp_path: Path, source: DicomSource) -> None:
    names = write_dicom_series(tmp_path / "out", [derived(source)], source)
    done = subprocess.run(["dciodvfy", tmp_path / "out" / names[0]], capture_output=True, text=True, check=False)
    assert [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("name", ["glioma_pgbm006_ge/dicom", "dicom_vendors/philips_fieldmap_enhanced"])
def test_real_series_get_a_series_on_their_grid(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = read_sources(shared_data / name)[0]
    names = write_dicom_series(tmp_path / "out", [derived(source)], source)
    assert len(names) == len(source.planes)
    again = read_sources(tmp_path / "out")[0]
    assert again.geometry.matches(source.geometry, 1e-4)
    first = dcmread(tmp_path / "out" / names[0])
    assert first.SourceImageSequence[0].ReferencedSOPInstanceUID == source.first.SOPInstanceUID
