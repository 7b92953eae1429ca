"""Opening studies: in a thread, with questions where a name alone does not say enough."""
