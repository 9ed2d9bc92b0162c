"""Showing results: tables for the terminal, a verdict in words, a picture."""
