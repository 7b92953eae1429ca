"""The sections of the panel, one module each; a section is handed what it shows and keeps no copy of it."""
