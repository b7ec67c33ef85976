"""How the API describes itself: the OpenAPI document, and its page under our content policy."""

from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from flask_openapi3.openapi import OpenAPI

from paywall.sessions import SESSION_COOKIE, TOKEN_COOKIE

ADDRESS = "/openapi"
_ABOUT = (
    "Tells content services whether a reader may read. Services authenticate with their key: "
    "`Authorization: Bearer pwk_...`. Errors are problem documents (RFC 9457). "
    "Answers to a good key tell in `RateLimit-Policy` and `RateLimit` how much may be asked, and how much of it is "
    "left; past it the answer is 429 with `Retry-After`."
)
_SERVICE_KEY = SecurityScheme(
    type="http", scheme="bearer", bearerFormat="pwk_...", description="From `flask paywall services add NAME`."
)

_REPORTS_KEY = SecurityScheme(
    type="http",
    scheme="bearer",
    bearerFormat="pwk_...",
    description="From `flask paywall services add NAME --scope reports`.",
)
_STAFF = SecurityScheme(
    type="apiKey", name=SESSION_COOKIE, security_scheme_in="cookie", description="A browser that staff signed in."
)
_SERVICE_NAME = SecurityScheme(type="http", scheme="basic", description="The service's name or id, and its key.")
_READER = SecurityScheme(type="http", scheme="bearer", description="A reader's access token.")
_COOKIE = SecurityScheme(
    type="apiKey", name=TOKEN_COOKIE, security_scheme_in="cookie", description="The same, as readers' browsers have it."
)

# the library's own pages have an inline script, which our policy refuses; this one is served at both their addresses
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Paywall API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="swagger/css/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="swagger/js/swagger-ui-bundle.js"></script><script src="/static/swagger-start.js"></script></body></html>
"""


class DescribedApp(OpenAPI):
    """A Flask application that serves its description at ``/openapi/`` and ``/openapi/openapi.json``."""

    def __init__(self, name: str, root_path: str) -> None:
        super().__init__(
            name,
            info=Info(title="Paywall", version="1", description=_ABOUT),
            doc_prefix=ADDRESS,
            security_schemes={
                "service_key": _SERVICE_KEY,
                "service_name": _SERVICE_NAME,
                "reports_key": _REPORTS_KEY,
                "staff_session": _STAFF,
                "reader_token": _READER,
                "reader_cookie": _COOKIE,
            },
            root_path=root_path,
        )
        self.config.update(OPENAPI_HTML_STRING=PAGE, SWAGGER_HTML_STRING=PAGE)

    def generate_spec_json(self) -> None:
        """Takes out the library's own validation answer, which is never given: our views check what they read.

        Forms are url-encoded ones here, while the library takes all for those that carry files.
        """
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        self.spec_json["components"]["schemas"].pop(self.validation_error_model.__name__, None)
        for path in self.spec_json["paths"].values():
            for operation in path.values():
                _drop_answers_in(operation["responses"], self.validation_error_model.__name__)
                taken = operation.get("requestBody", {}).get("content", {})
                if "multipart/form-data" in taken:
                    taken["application/x-www-form-urlencoded"] = taken.pop("multipart/form-data")


def _drop_answers_in(responses: dict[str, Any], model: str) -> None:
    for status, response in list(responses.items()):
        if model in str(response):
            del responses[status]
