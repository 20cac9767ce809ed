"""What can be said: the catalogue of events as types, and the closed schemas made from it."""
