"""The radio network that both environments share: geometry, channel, links, failures."""
