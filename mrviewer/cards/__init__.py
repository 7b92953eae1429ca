"""What cards of methods say in figures: what training images had in common, and what came of cases never seen."""
