"""What can be proved. Pure: no clock, no chance, no input or output."""
