"""What may only be done soon after signing in by mail: whoever finds an open browser cannot take the account."""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from paywall import context, sessions


def missing(heading: str, back: str) -> Response | None:
    """The page that asks for a sign-in by mail and then leads ``back`` (a path of ours); None where it was just done.

    ``heading`` names what is wanted. A form that comes too late is refused with 403, and nothing of it is done.
    """
    session = sessions.current()
    if session is not None and session.is_fresh(context.now()):
        return None
    reader = session.reader if session is not None else None
    page = render_template("accounts/prove.html", heading=heading, back=back, reader=reader)
    return make_response(page, 200 if request.method == "GET" else 403)
