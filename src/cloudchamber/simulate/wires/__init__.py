"""Readouts of the collection wires of a liquid-argon TPC: every stage a module that can be used alone."""

from cloudchamber.simulate.wires.config import SETTINGS, WiresConfig, protodune_sp
from cloudchamber.simulate.wires.event import simulate_wires, simulate_wires_events

__all__ = ["SETTINGS", "WiresConfig", "protodune_sp", "simulate_wires", "simulate_wires_events"]
