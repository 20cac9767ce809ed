"""One module per family of event types."""
