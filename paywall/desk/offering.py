"""Which actions the reader's page offers: each by the rule that it begins with, so that no link leads to a refusal."""

from paywall.caring import doing
from paywall.caring.reading import Reading
from paywall.caring.shapes import Action, CannotAct, Desk


def why_none(desk: Desk, of: Reading) -> str:
    """Why nothing can be done for the reader by this colleague, in words; nothing where something can. Reads only."""
    try:
        doing.check(desk.who, of)
    except CannotAct as stopped:
        return stopped.message
    return ""


def why_not(desk: Desk, action: Action, of: Reading) -> str:
    """Why there is nothing to act on, in words; nothing where the action's form can be shown. Reads only."""
    try:
        action.fields(desk, of)
    except CannotAct as stopped:
        return stopped.message
    return ""
