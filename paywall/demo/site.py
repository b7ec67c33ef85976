"""Puts the news site together: articles, the paywall, pages, headers."""

from flask import Flask

from paywall.demo import feeds, outbox, pages
from paywall.demo.articles import Library, load_library
from paywall.demo.clock import clock
from paywall.demo.config import NEWSROOM, TAGLINE, SiteConfig
from paywall.demo.headers import canonical_host, security_headers
from paywall.verifier import Verifier
from paywall.verifier.flask import Paywall


def create_site(config: SiteConfig, library: Library | None = None) -> Flask:
    """The news site as a Flask application. Raises ArticleError for an article file that cannot be used."""
    app = Flask(__name__)
    app.config["SITE"] = config
    app.extensions["library"] = library or load_library()
    time = clock(config.clock_file)
    verifier = Verifier(config.paywall_url, service_key=config.service_key, keys=config.keys, clock=time)
    Paywall(app, verifier, join_url=f"{config.paywall_url}/join", cookie_secure=config.base_url.startswith("https://"))
    app.before_request(canonical_host)
    app.after_request(security_headers)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(feeds.blueprint)
    app.register_blueprint(outbox.blueprint)
    app.register_error_handler(404, pages.not_found)
    app.register_error_handler(500, pages.broken)
    app.jinja_env.globals.update(site=config, newsroom=NEWSROOM, tagline=TAGLINE)
    return app
