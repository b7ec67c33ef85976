"""What the description of the API says of every address: the problems that it answers, their headers."""

from typing import Any, Final

from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

STAFF: Final[list[dict[str, list[Any]]]] = [{"staff_session": []}]
REPORTERS: Final[list[dict[str, list[Any]]]] = [{"reports_key": []}, *STAFF]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retry_after: int | None = Field(None, description="With 429: seconds to wait.")


def headers(**described: str) -> dict[str, Any]:
    """Headers of an answer with what they tell; an underscore in a name stands for a hyphen."""
    kinds = {"Retry_After": "integer", "X_Paywall_Expires": "integer"}
    return {
        name.replace("_", "-"): {"description": words, "schema": {"type": kinds.get(name, "string")}}
        for name, words in described.items()
    }


_LIMITED = headers(
    Retry_After="Seconds to wait.",
    RateLimit_Policy="How much may be asked.",
    RateLimit="What is left of it, and for how long.",
)


def questions(**asked: str) -> list[dict[str, Any]]:
    """Parameters of an address that may be left out, with what each asks for."""
    text = {"type": "string"}
    return [{"name": name, "in": "query", "description": told, "schema": text} for name, told in asked.items()]


def problems(*statuses: str) -> ResponseDict:
    """The problem documents that may be answered."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"content": content, **({"headers": _LIMITED} if status == "429" else {})} for status in statuses}
