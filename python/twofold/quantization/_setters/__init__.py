"""Setters: who says which layer gets which qconfig."""
