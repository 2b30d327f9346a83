"""qconfig_changelogs.txt: every change to what setters asked for, and why."""

from collections.abc import Iterable

from .._canonicalize.precisions import Change
from .tables import table


def changelog_text(changes: Iterable[Change], messages: Iterable[str] = ()) -> str:
    """What setters told the user, then a row per change, in the order in which they were made.

    A row whose `from` and `to` are the same is a wish that was not granted.
    """
    rows = [[c.layer, c.what, c.before, c.after, c.why] for c in changes]
    told = "".join(f"{message}\n" for message in messages)
    if not rows:
        return told + "Every layer has what was asked for it.\n"
    return told + table(["layer", "what", "from", "to", "why"], rows)
