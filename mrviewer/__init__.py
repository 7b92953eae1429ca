"""The headless core: what an accelerated MR scan loses, and what learned methods win back.

A *study* is sampled by a *mask* into a *measurement*, a *method* turns the measurement into a *result*, an *assessment*
holds the result against what is known. Each noun is one small type, each arrow one module.
"""

__version__ = "0.1.0"
