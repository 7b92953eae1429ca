"""The dock Coils: what every coil sees of the shown slice."""
