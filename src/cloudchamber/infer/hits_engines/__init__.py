"""Scores of all hits of a plane: engines that give the same, and the choice among them."""
