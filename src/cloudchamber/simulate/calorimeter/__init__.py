"""Muons in a fine calorimeter of cells: every stage a module that can be used alone."""

from cloudchamber.simulate.calorimeter.config import SETTINGS, CalorimeterConfig
from cloudchamber.simulate.calorimeter.event import simulate_muon, simulate_muons
from cloudchamber.simulate.calorimeter.statistics import summarise

__all__ = ["SETTINGS", "CalorimeterConfig", "simulate_muon", "simulate_muons", "summarise"]
