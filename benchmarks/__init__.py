"""How fast mrviewer is, against other programs doing the same on the same data.

``python -m benchmarks [NAME ...] [--json FILE]`` runs ``bench_NAME.py``, or all of them.
"""
