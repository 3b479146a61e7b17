"""`python -m service.cli`, the same as `sojourn`."""

from service.cli import main

main()
