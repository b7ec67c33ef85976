"""Which actions the reader's page offers: each by the rule that it begins with, so that no link leads to a refusal."""

from paywall.caring import doing
from paywall.caring.shapes import Action, CannotAct, Desk
from paywall.storage.models import Reader


def why_none(desk: Desk, reader: Reader) -> str:
    """Why nothing can be done for the reader by this colleague, in words; nothing where something can. Reads only."""
    try:
        doing.reader_of(desk.who, reader.id)
    except CannotAct as stopped:
        return stopped.message
    return ""


def why_not(desk: Desk, action: Action, reader: Reader) -> str:
    """Why there is nothing to act on, in words; nothing where the action's form can be shown. Reads only."""
    try:
        action.fields(desk, reader)
    except CannotAct as stopped:
        return stopped.message
    return ""
