"""Running agents on many seeds and telling their differences from chance."""
