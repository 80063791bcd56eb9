"""Networks: one file per published network, blocks that two or more share."""
