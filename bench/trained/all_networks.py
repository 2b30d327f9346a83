"""All networks by name, in the order of the table."""

from . import captchas, files, music, pages, people, speech, text

PARTS = (text, files, pages, people, captchas, speech, music)
NETWORKS = {network.name: network for part in PARTS for network in part.NETWORKS}
