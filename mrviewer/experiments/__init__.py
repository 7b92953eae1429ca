"""Experiments: train the rows of a table on one budget, measure them on unseen subjects, hold them against a paper.

A table (`mrviewer.experiments.tables`) is read from a file (`mrviewer.experiments.table_files`). Each row and seed is
one training run with its figures (`mrviewer.experiments.row_runs`); several run at a time
(`mrviewer.experiments.workers`).
What the figures say is computed (`mrviewer.experiments.claims`) and written as a page (`mrviewer.experiments.page`).
Nothing here knows a network.
"""
