"""The pages of the site: front page, one page per kind, articles."""

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request

from paywall.demo.articles import KINDS, Article, Library
from paywall.demo.config import SiteConfig
from paywall.demo.markup import news_article
from paywall.verifier.errors import Reason
from paywall.verifier.flask import Offer, Paywall

blueprint = Blueprint("pages", __name__)
_KIND = f"/<any({','.join(KINDS)}):kind>/"

# by what came of renewing, else by what is wrong with the token
_WHY_NOT: dict[str | None, str] = {
    Reason.UNAVAILABLE: "We cannot check your subscription just now. Please try again in a minute.",
    Reason.EXPIRED: "We could not renew your access on this device. If you have a subscription, sign in again.",
    Reason.REVOKED: "Your access on this device has ended. If you have a subscription, sign in again.",
    Reason.NOT_ENTITLED: "Your subscription does not include articles of this kind.",
}


@blueprint.get("/")
def front() -> str:
    """The lead, then the newest of each kind."""
    library = _library()
    groups = {kind: [one for one in library.of_kind(kind) if one is not library.lead] for kind in KINDS}
    return _page("front.html", lead=library.lead, groups=groups, home=True)


@blueprint.get(_KIND)
def section(kind: str) -> str:
    """All articles of one kind."""
    return _page("section.html", kind=kind, articles=_library().of_kind(kind))


@blueprint.get(f"{_KIND}<slug>")
def article(kind: str, slug: str) -> str:
    """One article: whole for readers who may read it, else its opening and the join box."""
    library = _library()
    found = library.find(kind, slug) or abort(404)
    decision = _paywall().decide(require=kind)
    full = found.free or decision.allowed
    return _page(
        "article.html",
        article=found,
        full=full,
        rest=library.rest_of(found) if full else (),
        cancelled=not full and request.args.get("checkout") == "cancelled",
        why_not=_WHY_NOT.get(decision.renewal) or _WHY_NOT.get(decision.reason),
        ended=decision.renewal == Reason.NOT_ENTITLED,
        structured=news_article(found, _site().base_url),
        more=_more(found),
    )


@blueprint.get("/healthz")
def health() -> Response:
    """Says that the site answers."""
    response = make_response({"status": "ok"})
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found(_error: Exception) -> tuple[str, int]:
    """The page for an address that leads nowhere."""
    return _error_page("There is no such page", "It may have moved, or the address has a slip in it."), 404


def broken(_error: Exception) -> tuple[str, int]:
    """The page for a fault of ours."""
    return _error_page("Something went wrong", "The fault is ours. Please try again in a minute."), 500


def _error_page(title: str, text: str) -> str:
    return render_template("error.html", title=title, text=text, kinds=KINDS, reader=None, offer=None)


def _page(template: str, **values: object) -> str:
    """Renders with what every page shows: the kinds, and whether to offer an account or a subscription.

    Nothing is offered to somebody who may have paid already, while that cannot be checked.
    """
    reader = _paywall().decide()
    unsure = Reason.UNAVAILABLE in (reader.renewal, reader.reason)
    return render_template(template, kinds=KINDS, reader=reader, offer=None if unsure else _offer(), **values)


def _offer() -> Offer:
    """Ways to subscribe and to sign in that come back to this page, without the query it was called with."""
    return _paywall().offer(return_to=f"{_site().base_url}{request.path}")


def _more(current: Article) -> list[Article]:
    """Three other articles, those of the same kind first."""
    others = [one for one in _library().articles if one is not current]
    return sorted(others, key=lambda one: one.kind != current.kind)[:3]


def _library() -> Library:
    library: Library = current_app.extensions["library"]
    return library


def _paywall() -> Paywall:
    paywall: Paywall = current_app.extensions["paywall"]
    return paywall


def _site() -> SiteConfig:
    site: SiteConfig = current_app.config["SITE"]
    return site
