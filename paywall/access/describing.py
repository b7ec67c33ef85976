"""What the description of the API says of every address: problems, headers, who may ask."""

from typing import Any, Final

from paywall.describing import headers

BEARER: Final[list[dict[str, list[Any]]]] = [{"service_key": []}]
CLIENT: Final[list[dict[str, list[Any]]]] = [{"service_key": []}, {"service_name": []}]
READER: Final[list[dict[str, list[Any]]]] = [{"reader_token": []}, {"reader_cookie": []}]


LET_IN: Final[dict[str, Any]] = {
    "description": "The reader may read.",
    "headers": headers(
        X_Paywall_Subject="The reader's id.",
        X_Paywall_Scope="Space-separated features.",
        X_Paywall_Expires="When the token ends, in Unix seconds.",
    ),
}
