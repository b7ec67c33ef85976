"""Row ids that travel in mailed addresses: signed for one purpose, so that nobody can guess another's."""

from itsdangerous import BadData, URLSafeSerializer

from paywall import context


def seal(purpose: str, row_id: str) -> str:
    """The id, signed. How long it is good for, and how often, the row itself says."""
    return str(_serializer(purpose).dumps(row_id))


def opened(purpose: str, token: str) -> str | None:
    """The id that was sealed for this purpose; None for anything else."""
    try:
        return str(_serializer(purpose).loads(token))
    except BadData:
        return None


def _serializer(purpose: str) -> URLSafeSerializer:
    secret = context.settings().web.secret_key.get_secret_value()
    return URLSafeSerializer(secret, salt=f"paywall mailed id: {purpose}")
