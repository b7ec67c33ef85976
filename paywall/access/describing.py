"""What the description of the API says of every address: problems, headers, who may ask."""

from typing import Any, Final

from flask_openapi3.types import ResponseDict

from paywall.access.bodies import Problem

BEARER: Final[list[dict[str, list[Any]]]] = [{"service_key": []}]
CLIENT: Final[list[dict[str, list[Any]]]] = [{"service_key": []}, {"service_name": []}]
READER: Final[list[dict[str, list[Any]]]] = [{"reader_token": []}, {"reader_cookie": []}]


def _headers(**described: str) -> dict[str, Any]:
    kinds = {"Retry_After": "integer", "X_Paywall_Expires": "integer"}
    return {
        name.replace("_", "-"): {"description": words, "schema": {"type": kinds.get(name, "string")}}
        for name, words in described.items()
    }


_LIMITED = _headers(
    Retry_After="Seconds to wait.",
    RateLimit_Policy="How much may be asked.",
    RateLimit="What is left of it, and for how long.",
)
LET_IN: Final[dict[str, Any]] = {
    "description": "The reader may read.",
    "headers": _headers(
        X_Paywall_Subject="The reader's id.",
        X_Paywall_Scope="Space-separated features.",
        X_Paywall_Expires="When the token ends, in Unix seconds.",
    ),
}


def problems(*statuses: str) -> ResponseDict:
    """The problem documents that may be answered."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"content": content, **({"headers": _LIMITED} if status == "429" else {})} for status in statuses}
