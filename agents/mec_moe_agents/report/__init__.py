"""What a run leaves behind, and how it is read again: as a page, as LaTeX, as CSV, as JSON."""
