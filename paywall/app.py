"""Puts the application together; the only place that knows all parts."""

from pathlib import Path
from urllib.parse import urlsplit

from flask_bootstrap import Bootstrap5
from flask_mail import Mail
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from paywall import cli, guards, health, limits, logs, scrape, texts, web
from paywall.access import addresses
from paywall.access import views as access
from paywall.access.lane import Lane
from paywall.accounts.account_views import account
from paywall.accounts.address_views import address, confirming
from paywall.accounts.data_views import afterwards, data
from paywall.accounts.device_views import devices
from paywall.accounts.views import signing
from paywall.billing.catalog import Catalog
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync, lease_for
from paywall.checkout import views as checkout
from paywall.clock import Clock
from paywall.desk import views as desk
from paywall.desk.action_views import blueprint as desk_actions
from paywall.mail import postman
from paywall.openapi import DescribedApp
from paywall.parts import Parts
from paywall.reports import views as reports
from paywall.reports.serving import api as reports_api
from paywall.settings import ROOT, Settings, load_settings
from paywall.staff import views as staff
from paywall.staff.factor_views import blueprint as second_factor
from paywall.staff.key_views import blueprint as staff_keys
from paywall.storage import database
from paywall.webhooks import views as webhooks


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> DescribedApp:
    """The WSGI application. Without arguments it reads the settings and stops with SettingsError on a bad one."""
    settings = settings or load_settings()
    logs.configure(settings.log)
    app = DescribedApp("paywall", root_path=str(Path(__file__).parent))
    _configure(app, settings)
    database.init_app(app, settings.database.url.get_secret_value())
    Migrate(app, database.db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    Mail(app)
    postman.init_app(app)
    Bootstrap5(app)
    csrf = CSRFProtect(app)
    limits.init_app(app, settings)
    app.extensions["paywall"] = _parts(settings, clock or Clock(settings.clock.offset_file))
    web.init_app(app, settings)
    health.init_app(app)
    scrape.init_app(app)
    _add_journeys(app, csrf, settings)
    cli.init_app(app)
    app.wsgi_app = Lane(app, addresses.HOT, addresses.RECALLED)  # type: ignore[method-assign]
    if settings.web.trusted_hops:
        hops = settings.web.trusted_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _parts(settings: Settings, clock: Clock) -> Parts:
    gateway = StripeGateway(settings.stripe, frozenset(plan.product for plan in settings.plans.values()))
    return Parts(
        settings=settings,
        clock=clock,
        gateway=gateway,
        catalog=Catalog(gateway),
        sync=Sync(gateway, settings.plans, settings.zone, clock, lease_for(settings.stripe.longest_call_seconds)),
    )


def _configure(app: DescribedApp, settings: Settings) -> None:
    mail = settings.mail
    app.config.update(
        SECRET_KEY=settings.web.secret_key.get_secret_value(),
        # our own name, and what probes on the same machine say; never a name that the caller made up
        TRUSTED_HOSTS=[urlsplit(settings.web.base_url).hostname, "127.0.0.1", "localhost", "[::1]"],
        SESSION_COOKIE_NAME="paywall_web",
        SESSION_COOKIE_SECURE=settings.web.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.web.max_body_bytes,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser's session: a reader may think about a form overnight
        WTF_CSRF_SSL_STRICT=settings.web.cookie_secure,
        MAIL_SERVER=mail.server,
        MAIL_PORT=mail.port,
        MAIL_USE_TLS=mail.use_tls,
        MAIL_USERNAME=mail.username,
        MAIL_PASSWORD=mail.password.get_secret_value() if mail.password else None,
        MAIL_DEFAULT_SENDER=mail.sender,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_env.globals.update(newsroom=settings.newsroom, may=guards.may)
    texts.install(app.jinja_env, settings.newsroom.language)


def _add_journeys(app: DescribedApp, csrf: CSRFProtect, settings: Settings) -> None:
    """Registers the blueprint of every journey; program interfaces carry keys or signatures instead of CSRF tokens."""
    csrf.exempt(access.blueprint)
    app.register_api(access.blueprint)
    app.register_api(access.gate)
    app.register_api(access.keys_blueprint)
    for part_of_account in (signing, account, devices, address, confirming, data, afterwards):
        app.register_blueprint(part_of_account)
    app.register_blueprint(checkout.blueprint)
    app.register_blueprint(reports.blueprint)
    for part_of_staff in (staff.blueprint, second_factor, staff_keys):
        app.register_blueprint(part_of_staff)
    app.register_api(reports_api)
    app.register_blueprint(desk.blueprint)
    app.register_blueprint(desk_actions)
    if settings.stripe.webhook_secrets:  # without a secret there is no endpoint
        csrf.exempt(webhooks.blueprint)
        app.register_blueprint(webhooks.blueprint)
