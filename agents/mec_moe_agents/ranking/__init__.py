"""Ranking all agents on all presets, on seeds that no training has seen."""
