"""The phases of a run, in their order: prepare, measure before, train with quick checks, measure after."""
