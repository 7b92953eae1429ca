"""Many studies: where they come from, what they mean, what is odd about them, and who is held out.

`survey_database` looks at names and headers, `propose_mapping` says what channels and labels may mean, `open_database`
gives subjects that open as studies by that mapping, and `split_by_patient` holds some of them out.
"""

from mrviewer.database.mapping import DatabaseMapping
from mrviewer.database.opening import open_database
from mrviewer.database.proposal import propose_mapping
from mrviewer.database.simulated import SIMULATED_KINDS, SIMULATED_LIVER, SIMULATED_MS
from mrviewer.database.split import split_by_patient, split_subjects
from mrviewer.database.subjects import Subject
from mrviewer.database.survey import Oddity, Survey, SurveyedSubject
from mrviewer.database.surveying.run_survey import survey_database

__all__ = [
    "SIMULATED_KINDS",
    "SIMULATED_LIVER",
    "SIMULATED_MS",
    "DatabaseMapping",
    "Oddity",
    "Subject",
    "Survey",
    "SurveyedSubject",
    "open_database",
    "propose_mapping",
    "split_by_patient",
    "split_subjects",
    "survey_database",
]
