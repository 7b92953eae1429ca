"""What the Fine-tune section knows and does, apart from its widgets: wishes, facts, the event log, the controller."""
