"""Files that are taken in row by row: checked first, then applied, and taken back while nothing stands on them."""
