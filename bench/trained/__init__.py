"""Trained networks that Python packages carry, each with inputs that it is made for and a measure of its answers."""
