"""``flask paywall worker``: what must happen although nobody asks for it, done by processes beside the web server."""
