"""Certified bounds: what no policy can exceed on an episode, clairvoyant ones included."""
