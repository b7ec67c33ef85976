"""Operations of the API done from within, as Stripe's dashboard does them: checked alike, put down to no request."""

import re

from paywall.sandbox.errors import StripeError, unsupported
from paywall.sandbox.resources import OPERATIONS
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, public
from paywall.sandbox.wire.forms import Form
from paywall.sandbox.wire.operation import Call

NAME = re.compile(r"<(\w+)>")
ROUTES = [(one, re.compile(NAME.sub(r"(?P<\1>[^/]+)", one.path))) for one in OPERATIONS]


def ask(account: Account, method: str, path: str, form: Form | None = None) -> Json:
    """Run an operation and return its answer; raises StripeError where the API would refuse."""
    for operation, pattern in ROUTES:
        match = pattern.fullmatch(path) if operation.method == method else None
        if match:
            params = operation.params.parse(form or {})
            with account.unit():
                done = operation.run(Call(account, path, match.groupdict(), params))
            if isinstance(done, StripeError):
                raise done
            return public(done)
    raise unsupported(f"{method} {path}")
