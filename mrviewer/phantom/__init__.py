"""Simulated MS patients: anatomy, lesions, signal and scanner, and the sample study made of them.

Another seed is another patient, so that this is an endless training set too. Nothing here is a real person, and
everything made from it says so.
"""

from mrviewer.phantom.patient import Patient, PatientOptions, simulate_patient
from mrviewer.phantom.sample import sample_study
from mrviewer.phantom.scan import SimulatedScan

__all__ = ["Patient", "PatientOptions", "SimulatedScan", "sample_study", "simulate_patient"]
