"""Agents from outside the catalogue: code of one's own, trained models, other packages' agents."""
