"""Worlds from outside: positions of nodes, channels and arrivals that somebody has recorded."""

from mec_moe_env.worlds.arrivals import Arrivals as Arrivals
from mec_moe_env.worlds.arrivals import read_arrivals as read_arrivals
from mec_moe_env.worlds.channel_trace import read_channel_trace as read_channel_trace
from mec_moe_env.worlds.positions import read_positions as read_positions
