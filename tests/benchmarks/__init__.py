"""How fast the service is, side by side with the least that could do the same and with what everybody would write."""
