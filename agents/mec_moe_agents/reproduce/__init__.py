"""The papers' figures and claims, each from one command."""
