"""Reading a body: JSON into a model, or a form; one way only, and with words for each fault."""

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from paywall.access.asking import Asked, BadForm, once, pairs
from paywall.errors import BadRequest, PaywallError

B = TypeVar("B", bound=BaseModel)


class NotJson(BadRequest):
    """The body cannot be read as JSON."""

    code, title = "not_json", "The body is not JSON"


class WrongType(PaywallError):
    """The body is of another content type."""

    code, status, title = "unsupported_media_type", 415, "The body is of another type"


class WrongShape(PaywallError):
    """The body is JSON, but not of the shape that this address takes."""

    code, status, title = "invalid_body", 422, "The body has a wrong shape"


def read_body(asked: Asked, model: type[B]) -> B:
    """The body as ``model``. Raises WrongType, NotJson, WrongShape, TooLarge, CutShort; none repeats what was sent."""
    _expect_json(asked)
    data = asked.body()
    try:
        body = model.model_validate_json(data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
    else:
        # each member has its colon: as many of them as members means that none of these came twice
        if data.count(b":") != len(body.model_fields_set):
            _STRICT.decode(data.decode())  # second, so that it meets nothing too deep or too long for it
        return body
    if any(fault["type"] == "json_invalid" for fault in faults):
        raise NotJson("The body is not valid JSON in UTF-8.")
    known = [f"{_member(fault['loc'], model)}: {fault['msg']}" for fault in faults]
    raise WrongShape("; ".join(known))


def _expect_json(asked: Asked) -> None:
    kind = asked.content_type
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise WrongType("Send the body as application/json.")


def read_form(asked: Asked) -> dict[str, str]:
    """The body as a form. Raises WrongType, BadForm, TooLarge and CutShort."""
    if asked.content_type != "application/x-www-form-urlencoded":
        raise WrongType("Send the body as application/x-www-form-urlencoded.")
    try:
        return once(pairs(asked.body().decode("ascii")))
    except UnicodeDecodeError:
        raise BadForm("The form must be percent-encoded UTF-8.") from None


def _each_once(members: list[tuple[str, object]]) -> None:
    """Raises WrongShape for an object that names a member twice: RFC 8259 section 4 leaves open which one counts."""
    if len({name for name, _ in members}) < len(members):
        raise WrongShape("A member is given twice.")


_STRICT = json.JSONDecoder(object_pairs_hook=_each_once)


def _member(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The member's name if it is one of ours; a name that the caller made up is not repeated."""
    if not place:
        return "the body"
    return str(place[0]) if place[0] in model.model_fields else "another member"
