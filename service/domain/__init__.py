"""Decisions: what may happen to whom, and why not. Standard library only; no I/O, no clock, no await."""
