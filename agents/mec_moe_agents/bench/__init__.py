"""How fast the environments are, beside a floor and their peers."""
