"""How a page of this part begins, and where staff may be led on to: pages for staff, and nowhere else."""

import re

from flask import request

from paywall.storage.database import begin_read

_INSIDE = re.compile(r"/admin/[A-Za-z0-9_./?&=%:+,@~-]*")


def begin() -> None:
    """Begins a page as a reader, before the guard's first query would begin it as a writer."""
    if request.method in ("GET", "HEAD"):
        begin_read()


def inside(value: str | None) -> str:
    """``value`` if it is the path of a page for staff, with its query; else that of the first of them."""
    if value and len(value) <= 2000 and _INSIDE.fullmatch(value) and "/." not in value and "//" not in value:
        # browsers take such a dot for a dot: two of them lead out again
        return value if "%2e" not in value.partition("?")[0].lower() else "/admin/"
    return "/admin/"
