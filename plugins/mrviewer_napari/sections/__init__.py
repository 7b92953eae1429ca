"""The sections of the panel, one module each; a section is handed the session and keeps no copy of what it shows."""
