"""Rules and calendars as data: every row names its source, the day it was checked and how far it can be trusted."""
