"""What there is to see of an environment: scenes, and texts, pictures and windows made of them."""
