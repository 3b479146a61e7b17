"""Sojourn: people on their way from enrolment, through training, to a placement abroad and home again."""
