"""What every integration must do, whatever the framework: stories told to a content service of three pages.

`/article` needs the feature "analyses" and answers "allowed", or the reason and the address to join at; it has
`Vary: Accept-Encoding` and a cookie of its own. `/twice` decides twice. `/free` decides nothing.
"""

from dataclasses import dataclass, field

from paywall.verifier.testing import FakePaywall

JOIN = "https://pay.test/join"


@dataclass
class Answer:
    """What a browser gets: header names in lower case, in order."""

    status: int
    headers: list = field(default_factory=list)
    text: str = ""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) <= 1, f"{name} stands there {len(found)} times"
        return found[0] if found else None

    @property
    def token(self):
        """The token in the cookie that the answer sets, or None."""
        found = [value for value in self.all("set-cookie") if value.startswith("paywall_token=")]
        assert len(found) <= 1
        return found[0].removeprefix("paywall_token=").partition(";")[0] if found else None


class Stories:
    """Mixed into a test class that has `ask(path, **headers) -> Answer` and a fixture `paywall`."""

    def visit(self, ask, token, path="/article"):
        return ask(path, cookie=f'odd={{"a": [1]}}; paywall_token={token}; other=1')

    def test_a_good_token_opens_the_page_which_is_private(self, ask, paywall: FakePaywall):
        answer = self.visit(ask, paywall.token("analyses"))
        assert (answer.status, answer.text) == (200, "allowed")
        assert answer.one("cache-control") == "private, no-store"
        names = {name.strip() for name in answer.one("vary").split(",")}
        assert names == {"Accept-Encoding", "Cookie", "Authorization"}
        assert answer.token is None
        assert answer.all("set-cookie") == ["own=1"]

    def test_a_page_without_a_token_offers_a_way_in_and_back(self, ask):
        answer = ask("/article?x=1")
        assert answer.text == f"missing {JOIN}?plan=annual&return_to=http%3A%2F%2Fnews.test%2Farticle%3Fx%3D1"
        assert answer.one("cache-control") == "private, no-store"

    def test_a_page_that_decides_nothing_is_left_alone(self, ask, paywall):
        answer = self.visit(ask, paywall.token("analyses", lives=-9), "/free")
        assert (answer.text, answer.one("cache-control"), answer.token) == ("free", "public, max-age=60", None)

    def test_an_expired_token_is_renewed_and_the_cookie_replaced(self, ask, paywall):
        old = paywall.token("analyses", lives=-9)
        answer = self.visit(ask, old)
        assert answer.text == "allowed"
        assert answer.token not in (None, old)
        cookie = next(value for value in answer.all("set-cookie") if "paywall_token" in value)
        for part in ("HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax", "Secure", "Domain=news.test"):
            assert part.lower() in cookie.lower()
        assert self.visit(ask, answer.token).text == "allowed"

    def test_two_decisions_of_a_page_renew_once(self, ask, paywall):
        answer = self.visit(ask, paywall.token("analyses", "memos", lives=-9), "/twice")
        assert answer.text == "True True"
        assert answer.token

    def test_a_refused_renewal_serves_the_page_without_its_text(self, ask, paywall):
        paywall.renews = False
        answer = self.visit(ask, paywall.token("analyses", lives=-9))
        assert answer.text.startswith("expired https://")
        assert answer.token is None

    def test_an_outage_goes_on_with_the_old_token_for_a_while(self, ask, paywall):
        paywall.reachable = False
        answer = self.visit(ask, paywall.token("analyses", lives=-9))
        assert (answer.text, answer.token) == ("allowed", None)
        assert self.visit(ask, paywall.token("analyses", lives=-601)).text.startswith("expired")

    def test_a_bearer_token_goes_before_the_cookie_and_is_not_renewed(self, ask, paywall):
        good, old = paywall.token("analyses"), paywall.token("analyses", lives=-9)
        answer = ask("/article", cookie=f"paywall_token={good}", authorization=f"Bearer {old}")
        assert answer.text.startswith("expired")
        assert ask("/article", cookie="paywall_token=x", authorization=f"bearer {good}").text == "allowed"

    def test_a_broken_token_is_refused(self, ask):
        for token in ("", "x", "k~eyJ9." + "A" * 86, '"', "\xe9", "a=b"):
            assert self.visit(ask, token).text.partition(" ")[0] in ("missing", "malformed", "unknown_key")
