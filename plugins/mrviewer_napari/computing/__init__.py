"""Running methods on the open scan, and what is known of their results."""
