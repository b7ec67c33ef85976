"""Good tokens in a wrong place, two at once, and other spellings of the address: one place counts, one way in."""

import pytest

from paywall.access import addresses
from paywall.tokens import jwt_form, keyring, verification
from tests.support import wire
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=["paywall", "jwt"])
def either(request, token, now):
    """A good token, in each form."""
    if request.param == "paywall":
        return token
    return jwt_form.sign(verification.of_app().read(token, now), keyring.signing_key(now))


SMUGGLED = {
    "a query": {"query": "token=TOKEN&access_token=TOKEN"},
    "a query as a feature": {"query": "require=TOKEN"},
    "a cookie of another name": {
        "HTTP_COOKIE": "token=TOKEN; access_token=TOKEN; Paywall_Token=TOKEN; paywall-token=TOKEN"
    },
    "a quoted cookie": {"HTTP_COOKIE": 'paywall_token="TOKEN"'},
    "a cookie behind a comma": {"HTTP_COOKIE": "a=b, paywall_token=TOKEN"},
    "a cookie behind a line break": {"HTTP_COOKIE": "a=b\r\npaywall_token=TOKEN"},
    "two tokens with a comma": {"HTTP_AUTHORIZATION": "Bearer x, Bearer TOKEN"},
    "the good one first": {"HTTP_AUTHORIZATION": "Bearer TOKEN, Bearer x"},
    "two in one header": {"HTTP_AUTHORIZATION": "Bearer TOKEN TOKEN"},
    "another scheme": {"HTTP_AUTHORIZATION": "Token TOKEN"},
    "no scheme": {"HTTP_AUTHORIZATION": "TOKEN"},
    "a scheme with a tab": {"HTTP_AUTHORIZATION": "Bearer\tTOKEN"},
    "a folded header": {"HTTP_AUTHORIZATION": "Bearer x\r\n TOKEN"},
    "a line break and a header": {"HTTP_AUTHORIZATION": "Bearer x\r\nAuthorization: Bearer TOKEN"},
    "a scheme in a parameter": {"HTTP_AUTHORIZATION": 'Bearer token="TOKEN"'},
    "a bad header before a good cookie": {"HTTP_AUTHORIZATION": "Bearer x", "HTTP_COOKIE": "paywall_token=TOKEN"},
    "an empty header before a good cookie": {"HTTP_AUTHORIZATION": "Bearer ", "HTTP_COOKIE": "paywall_token=TOKEN"},
    "a bad cookie before a good one": {"HTTP_COOKIE": "paywall_token=x; paywall_token=TOKEN"},
    "an empty cookie before a good one": {"HTTP_COOKIE": "paywall_token=; paywall_token=TOKEN"},
    "headers of proxies": {
        "HTTP_PROXY_AUTHORIZATION": "Bearer TOKEN",
        "HTTP_X_FORWARDED_AUTHORIZATION": "Bearer TOKEN",
        "HTTP_X_ORIGINAL_AUTHORIZATION": "Bearer TOKEN",
        "HTTP_X_PAYWALL_TOKEN": "TOKEN",
    },
    "a header of the answer": {"HTTP_X_PAYWALL_SUBJECT": "rdr_1", "HTTP_X_PAYWALL_SCOPE": "memos"},
    "percent signs": {"HTTP_AUTHORIZATION": "Bearer ENCODED"},
    "percent signs in the cookie": {"HTTP_COOKIE": "paywall_token=ENCODED"},
    "a body": {"body": b"access_token=TOKEN", "CONTENT_TYPE": FORM},
}


def test_a_good_token_counts_in_its_place_alone(app, either):
    encoded = "".join(f"%{ord(letter):02x}" for letter in either)

    def fill(value):
        if isinstance(value, bytes):
            return value.replace(b"TOKEN", either.encode())
        return value.replace("TOKEN", either).replace("ENCODED", encoded)

    for name, sent in SMUGGLED.items():
        asked = wire.environ("GET", addresses.AUTHORIZE, **{field: fill(value) for field, value in sent.items()})
        for way in (app.wsgi_app, app.wsgi_app.otherwise):
            assert wire.ask(way, asked).status in (401, 403), name


PATHS = ["/v1/authorize/", "//v1/authorize", "/v1//authorize", "/v1/./authorize", "/v1/x/../authorize", "/V1/authorize"]
PATHS += [
    "/v1/authorize;x=1",
    "/v1/authorize\0",
    "/v1/authorize%00",
    "/v1/%61uthorize",
    "/v1/authorize ",
    "v1/authorize",
]
PATHS += ["/v1/authorize?require=x", "/v1/authorize#", "/v1\\authorize", "/v1/authorize.json", "/v1/authorizé", ""]


METHODS = ["get", "GeT", "GET ", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "PRI", "", "\xe9"]


def test_of_two_tokens_the_header_counts_and_of_two_cookies_the_first(app, either):
    """The other one is not tried: whoever reads the request elsewhere must come to the same reader."""
    for sent in (
        {"HTTP_AUTHORIZATION": f"Bearer {either}", "HTTP_COOKIE": "paywall_token=x"},
        {"HTTP_COOKIE": f"paywall_token={either}; paywall_token=x"},
        {"HTTP_COOKIE": f"a=b;paywall_token={either};"},
    ):
        asked = wire.environ("GET", addresses.AUTHORIZE, **sent)
        assert {wire.ask(way, asked).status for way in (app.wsgi_app, app.wsgi_app.otherwise)} == {204}


def test_no_spelling_of_the_address_goes_around_the_question(app, token):
    """Flask takes some for the address itself: then it answers as that does."""
    for path, method in [*((path, "GET") for path in PATHS), *((addresses.AUTHORIZE, method) for method in METHODS)]:
        for sent in ({"HTTP_AUTHORIZATION": f"Bearer {token}", "query": "require=podcasts"}, {}):
            asked = wire.environ(method, path, HTTP_X_HTTP_METHOD_OVERRIDE="GET", **sent)
            assert wire.ask(app.wsgi_app, asked).status in (308, 400, 401, 403, 404, 405), (method, path)
