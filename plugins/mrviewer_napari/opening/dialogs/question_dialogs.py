"""Where questions are asked and answered: shows the series chooser and the array form, and opens what they say."""

from typing import cast

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QDialog, QWidget

from mrviewer.progress import Progress
from mrviewer.readers.arrays.numpy_array import ArrayFacts
from mrviewer_napari.opening.dialogs.array_form import ArrayForm
from mrviewer_napari.opening.dialogs.previews import Thumbnail, facts_of, preview, thumbnails
from mrviewer_napari.opening.dialogs.series_chooser import SeriesChooser
from mrviewer_napari.opening.first_picture import FirstPicture
from mrviewer_napari.opening.questions import ArrayQuestion, Question, SeriesQuestion, open_series
from mrviewer_napari.opening.study_opener import StudyOpener
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["QuestionDialogs"]


class QuestionDialogs(QObject):
    """Asks one question at a time, over the window; what is open stays until the answer has been read.

    Parameters
    ----------
    opening
        What reads.
    host
        Widget over whose window dialogs come.
    """

    def __init__(self, opening: StudyOpener, host: QWidget) -> None:
        super().__init__(host)
        self._opening, self._host = opening, host
        self._side = Slot(self)
        self._side.yielded.connect(self._on_steps)
        self._side.returned.connect(self._on_answer)
        self._side.failed.connect(self._on_failure)
        self.dialog: SeriesChooser | ArrayForm | None = None
        self._question: Question | None = None

    def ask(self, question: Question) -> None:
        """Show a question; one that is still there is taken back."""
        self.withdraw()
        self._question = question
        parent = self._host.window()
        if isinstance(question, SeriesQuestion):
            self.dialog = SeriesChooser(question, parent)
            self._side.request(lambda: thumbnails(question.entries))
        else:
            self.dialog = ArrayForm(question, parent)
            self.dialog.preview_wanted.connect(self._on_preview_wanted)
            self.dialog.array_wanted.connect(self._on_array_wanted)
            self.dialog.begin()
        self.dialog.finished.connect(self._on_finished)
        self.dialog.open()

    def withdraw(self) -> None:
        """Take a question back."""
        if self.dialog is not None:
            self.dialog.reject()

    def close(self, wait_s: float) -> bool:
        """Ask nothing any more; says whether the thread has ended."""
        self.withdraw()
        return self._side.close(wait_s)

    def _on_finished(self, result: int) -> None:
        dialog, question = self.dialog, self._question
        self.dialog = self._question = None
        self._side.cancel()
        if result != QDialog.DialogCode.Accepted:
            return
        if isinstance(question, SeriesQuestion):
            self._opening.read(open_series(cast(SeriesChooser, dialog).chosen, question))
        elif isinstance(question, ArrayQuestion):
            form = cast(ArrayForm, dialog)
            self._opening.read(question.with_axes(form.layout_of_axes, form.modality.currentData()))

    def _on_preview_wanted(self, layout: object) -> None:
        path = cast(ArrayQuestion, self._question).path
        self._side.request(lambda: preview(path, layout))  # type: ignore[arg-type]

    def _on_array_wanted(self, name: str) -> None:
        path = cast(ArrayQuestion, self._question).path
        self._side.request(lambda: facts_of(path, name))

    def _on_steps(self, step: Progress) -> None:
        if isinstance(step.detail, Thumbnail) and isinstance(self.dialog, SeriesChooser):
            self.dialog.show_thumbnail(step.detail.number, step.detail.grey)

    def _on_answer(self, answer: object) -> None:
        if not isinstance(self.dialog, ArrayForm):
            return
        if isinstance(answer, FirstPicture):
            self.dialog.show_preview(answer)
        elif isinstance(answer, ArrayFacts):
            self.dialog.fill(answer)

    def _on_failure(self, error: object) -> None:
        if isinstance(self.dialog, ArrayForm):
            self.dialog.show_error(str(error))
