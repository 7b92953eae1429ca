"""What the channels and labels of a database may mean."""

from mrviewer.database.mapping import DatabaseMapping
from mrviewer.database.survey import Survey
from mrviewer.method import Needs

__all__ = ["propose_mapping"]


def propose_mapping(survey: Survey, needs: Needs | None = None) -> DatabaseMapping:
    """Propose what a person may then change."""
    return DatabaseMapping()
