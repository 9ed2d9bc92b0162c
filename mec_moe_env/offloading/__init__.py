"""Offloading: continual learning over edge servers (Li & Duan 2024)."""
