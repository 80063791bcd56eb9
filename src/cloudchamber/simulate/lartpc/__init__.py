"""Sparse events of a liquid-argon time projection chamber: every stage a module that can be used alone."""

from cloudchamber.simulate.lartpc.config import PRIORITIES, SETTINGS, VoxelsConfig, bomb
from cloudchamber.simulate.lartpc.event import simulate_event, simulate_events
from cloudchamber.simulate.lartpc.statistics import summarise

__all__ = ["PRIORITIES", "SETTINGS", "VoxelsConfig", "bomb", "simulate_event", "simulate_events", "summarise"]
