"""Sections of the panel without a viewer: text that must be wrapped is never cut."""

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from mrviewer_napari.panel import Section
from mrviewer_napari.widgets.controls import ElidedLabel


@pytest.mark.parametrize("words", [5, 60])
def test_a_section_grows_with_text_that_came_later(qtbot: QtBot, words: int) -> None:
    inner, text = QWidget(), QLabel()
    text.setWordWrap(True)
    QVBoxLayout(inner).addWidget(text)
    inner.layout().addWidget(QLabel("the last line"))
    section = Section("Title", inner)
    content = QWidget()
    column = QVBoxLayout(content)
    column.addWidget(section)
    column.addStretch(1)
    scroll = QScrollArea(widgetResizable=True)
    scroll.setWidget(content)
    qtbot.addWidget(scroll)
    scroll.resize(300, 200)
    scroll.show()
    text.setText("word " * words)
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
    assert inner.height() >= inner.layout().heightForWidth(inner.width())
    section.toggleButton().click()
    qtbot.waitUntil(lambda: section.height() < 60)
    section.toggleButton().click()
    qtbot.waitUntil(lambda: inner.height() >= inner.layout().heightForWidth(inner.width()))


def test_a_long_title_makes_nothing_wider(qtbot: QtBot) -> None:
    label = ElidedLabel("A title of very many words that no panel could ever show in a single line")
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.show()
    assert label.minimumSizeHint().width() < 600
    holder = QWidget()
    qtbot.addWidget(holder)
    QVBoxLayout(holder).addWidget(label)
    assert holder.layout().minimumSize().width() < 100
    picture = label.grab().toImage()
    assert picture.width() == label.width()
