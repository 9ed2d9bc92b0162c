"""Two agents side by side in the same world: recorded, and shown as one page for a browser."""
