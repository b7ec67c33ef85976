"""The Flask application of one sandbox: all its parts joined."""

from flask import Flask, request
from werkzeug.wrappers import Response

from paywall.sandbox.api import Api
from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.controls.registry import Room
from paywall.sandbox.pages.checkout import CheckoutPages
from paywall.sandbox.pages.control import ControlPages
from paywall.sandbox.pages.invoice import InvoicePages
from paywall.sandbox.pages.portal import PortalPages
from paywall.sandbox.resources import OPERATIONS, private
from paywall.sandbox.state.account import Account
from paywall.sandbox.webhooks.delivery import Deliverer
from paywall.sandbox.webhooks.endpoints import configure
from paywall.sandbox.webhooks.steering import Steering

LARGEST_REQUEST = 1_000_000

# A payment leads back to the shop, here or over https, and on to others: Chromium holds the chain against form-action.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http://127.0.0.1:* http://localhost:* https:"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Sandbox:
    """One running sandbox: its account, its API with the log of requests, its deliveries."""

    def __init__(self, config: SandboxConfig) -> None:
        self.account = Account(config)
        configure(self.account.store, config, self.account.now())
        self.deliverer = Deliverer(self.account)
        self.steering = Steering(self.deliverer)
        self.api = Api(self.account, [*OPERATIONS, *private.OPERATIONS])

    def start(self) -> None:
        """Begin to deliver and to let time pass."""
        self.deliverer.start()

    def stop(self) -> None:
        """Stop the background work and close the state."""
        self.api.faults.stopping.set()
        self.deliverer.stop()
        self.account.store.close()


def create_sandbox(config: SandboxConfig) -> Flask:
    """Return the application; its `extensions["sandbox"]` is the Sandbox, whose `start()` begins deliveries."""
    app = Flask(__name__, template_folder="pages/templates", static_folder="pages/static", static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    sandbox = app.extensions["sandbox"] = Sandbox(config)
    app.register_blueprint(sandbox.api.blueprint)
    app.register_blueprint(CheckoutPages(sandbox.account).blueprint)
    app.register_blueprint(InvoicePages(sandbox.account).blueprint)
    app.register_blueprint(PortalPages(sandbox.account).blueprint)
    room = Room(sandbox.account, sandbox.steering, sandbox.api.faults)
    app.register_blueprint(ControlPages(room, sandbox.api).blueprint)
    app.after_request(secure)
    return app


def secure(response: Response) -> Response:
    """Give every page strict headers; answers of the API keep their own."""
    if not request.path.startswith(("/v1/", "/v2/")):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response
