"""Use cases: one act, one transaction, one instant."""
