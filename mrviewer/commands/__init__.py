"""The commands: each parses, calls the core, and prints. What they compute lives elsewhere.

Modules of this package are imported whenever the program starts, so they import torch, readers and the like only inside
the functions that need them.
"""
