"""What rewrites the qconfigs of a recorded model."""
