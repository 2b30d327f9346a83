"""From what was asked of single layers to precisions that fit together."""
