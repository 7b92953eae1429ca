"""Experiments: train the rows of a table on one budget, measure them on unseen subjects, hold them against a paper.

A table is a file (`mrviewer.experiments.tables`); each row and seed is one training run with its figures
(`mrviewer.experiments.runs`), several at a time (`mrviewer.experiments.workers`); what they say is computed
(`mrviewer.experiments.compare`) and written as a page (`mrviewer.experiments.page`). Nothing here knows a network.
"""
