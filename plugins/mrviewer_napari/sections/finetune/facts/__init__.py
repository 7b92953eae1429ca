"""What the Fine-tune section knows, apart from its widgets: database, model, runs and their results."""
