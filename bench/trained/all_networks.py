"""All networks by name, in the order of the table."""

from . import pages, text

NETWORKS = {network.name: network for part in (text, pages) for network in part.NETWORKS}
