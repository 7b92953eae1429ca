"""The Fine-tune section: a database, a starting model, its options, the runs and what came of them."""
