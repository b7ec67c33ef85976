"""Reads an address as browsers do (WHATWG URL Standard), which differs from Python's reading where tricks live."""

import re
from urllib.parse import unquote

DEFAULT_PORTS = {"http": "80", "https": "443"}


def origin_in_a_browser(address: str, base_scheme: str = "https") -> str | None:
    """The origin that a browser would go to, or None where it stays on the page's own host or fails."""
    text = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(33)))))
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", text, re.DOTALL)
    scheme, rest = (found[1].lower(), found[2]) if found else (base_scheme, text)
    if scheme not in DEFAULT_PORTS:
        return f"{scheme}:"
    rest = rest.replace("\\", "/")
    if not found and not rest.startswith("//"):
        return None
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    host, port = _host_and_port(authority.rpartition("@")[2])
    shown = "" if port in ("", DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host}{shown}"


def _host_and_port(text: str) -> tuple[str, str]:
    host, port = text, ""
    if found := re.fullmatch(r"(.*?):([0-9]*)", text, re.DOTALL):
        host, port = found[1], found[2].lstrip("0")
    host = unquote(host)
    for dot in "\u3002\uff0e\uff61":
        host = host.replace(dot, ".")
    return host.lower(), port
