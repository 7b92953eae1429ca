"""How databases are laid out: one module a layout, and which of them a folder has."""
