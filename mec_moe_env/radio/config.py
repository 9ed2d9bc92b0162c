"""The radio network that both environments share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mec_moe_env.config import Config, OneOf, Real, Recorded, reject, setting

TRACE_ARRAYS = ("gain", "gain_db", "rate", "spectral_efficiency")
"""What a recorded channel can be made of."""


@dataclass(frozen=True, kw_only=True)
class RadioConfig(Config):
    """Bandwidth, power, geometry and fading of the radio network."""

    bandwidth_hz: float = setting(1e6, Real(1, 1e12), "Hz")
    """B0, the width of one subcarrier."""
    power_w: float = setting(0.1, Real(1e-12, 1e6), "W")
    """P0, transmit power on one subcarrier (20 dBm)."""
    slot_seconds: float = setting(0.1, Real(1e-9, 1e9), "s")
    """Length of a slot."""
    doppler_hz: float = setting(1.0, Real(0, infinite=True), "Hz")
    """Doppler frequency: 0 freezes the channel, inf makes it independent from slot to slot."""
    carrier_hz: float = setting(3.5e9, Real(1e3, 1e15), "Hz")
    """Carrier frequency: sets the path loss at 1 m."""
    area_m: float = setting(400.0, Real(0, 1e9, open_low=True), "m")
    """Side of the square over which the nodes are spread."""
    path_loss_exponent: float = setting(3.0, Real(0, 100))
    """Path loss in dB grows by ten times this per decade of distance."""
    shadowing_db: float = setting(8.0, Real(0, 100), "dB")
    """Standard deviation of the log-normal shadowing of a link."""
    noise_density_dbm_hz: float = setting(-174.0, Real(-250, 100), "dBm/Hz")
    """Density of the thermal noise, N0."""
    noise_figure_db: float = setting(9.0, Real(0, 100), "dB")
    """The receiver's own noise, on top of the thermal noise."""
    rician_factor: float = setting(0.0, Real(0))
    """Power of the line of sight over the scattered power; 0 is Rayleigh fading."""
    min_spectral_efficiency: float = setting(0.1, Real(1e-6, 1e3), "bit/s/Hz")
    """bit/s/Hz of the most robust code: bounds the energy of a link in deep fade."""
    max_spectral_efficiency: float = setting(10.0, Real(1e-6, 1e3), "bit/s/Hz")
    """bit/s/Hz of the densest constellation; also what an in-situ link reports."""
    positions: Any = setting(
        None, Recorded("a CSV file of x, y (metres) or latitude, longitude (degrees)", rows=True)
    )
    """Where the nodes stand in every episode, rather than anywhere in the square."""
    channel_trace: str | None = setting(
        None, Recorded(f"an .npz file with one of {', '.join(TRACE_ARRAYS)}")
    )
    """The channel slot by slot, (slots, links, subcarriers), rather than one that is drawn; see
    `mec_moe_env.worlds.read_channel_trace`."""
    trace_start: str = setting("first", OneOf(("first", "random")))
    """The row of recorded channels and arrivals at which an episode begins: the first, or any from
    which enough are left."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_spectral_efficiency >= self.max_spectral_efficiency:
            raise reject(
                "min_spectral_efficiency",
                self.min_spectral_efficiency,
                f"below max_spectral_efficiency = {self.max_spectral_efficiency}",
            )
