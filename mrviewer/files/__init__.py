"""Writing files whole, growing or locked, their names, and the text in them: the ground that everything stands on."""
