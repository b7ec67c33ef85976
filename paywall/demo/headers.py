"""What every request and answer of the site goes through: one host name, and the security headers."""

from urllib.parse import quote

from flask import Response, current_app, redirect, request
from werkzeug.wrappers import Response as BaseResponse

# No script runs on this site; the JSON-LD of an article is data, which browsers do not hold against a policy.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def canonical_host() -> BaseResponse | None:
    """Sends visitors of another name, such as localhost, to the one whose cookies the paywall service shares."""
    site = current_app.config["SITE"]
    if request.host == site.host or request.endpoint == "pages.health":
        return None
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return redirect(f"{site.base_url}{quote(request.path)}{query}", 307)


def security_headers(response: Response) -> Response:
    """Adds the headers to every answer; errors are not kept."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response
