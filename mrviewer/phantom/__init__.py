"""Simulated patients, with multiple sclerosis or with tumours of the liver: anatomy, lesions, signal and scanner.

Another seed is another patient, so that this is an endless training set too. Nothing here is a real person, and
everything made from it says so.
"""

from mrviewer.phantom.liver import LiverPatient, sample_liver_study, simulate_liver_patient
from mrviewer.phantom.patient import Patient, PatientOptions, simulate_patient
from mrviewer.phantom.sample import sample_study
from mrviewer.phantom.scan import SimulatedScan

__all__ = [
    "LiverPatient",
    "Patient",
    "PatientOptions",
    "SimulatedScan",
    "sample_liver_study",
    "sample_study",
    "simulate_liver_patient",
    "simulate_patient",
]
