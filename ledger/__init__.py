"""duecourse: the record, written once and provable for ever. Import from its components."""

__version__ = "0.1.0"
