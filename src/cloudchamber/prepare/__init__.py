"""Between a file and a network: symmetries, normalisation."""
