"""The gateways of docs/verify.md: their configuration, with the ports of a test in place of the page's own."""

import re
from pathlib import Path

from paywall.settings import ROOT
from tests.support.servers import nginx_main, program

PAGE = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
KINDS = ("nginx", "caddy")


def _block(kind: str, first: str) -> str:
    """The page's block of this kind that begins with these words."""
    (found,) = re.findall(rf"^```{kind}\n({re.escape(first)}.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def _swapped(text: str, swaps: dict[str, str]) -> str:
    for old, new in swaps.items():
        assert old in text, f"docs/verify.md has no {old!r} any more"
        text = text.replace(old, new)
    return text


def nginx(ports: dict[str, int], *, fail_open: bool, plain: bool) -> str:
    """The page's configuration; `plain` leaves out the lines that it says may be left out."""
    text = _block("nginx", "# where")
    if fail_open:
        inside, beside = _block("nginx", "# in location = /_paywall").split("# beside it\n")
        text = text.replace("        internal;\n", f"        internal;\n{inside}")
        text = text.replace("    location = /_paywall", f"{beside}    location = /_paywall")
    if plain:
        text = _swapped(text, {"        error_page 401 403 = @paywall_offer;\n": ""})
    return _swapped(
        text,
        {
            "listen 80;": f"listen 127.0.0.1:{ports['gateway']};",
            "127.0.0.1:8001": f"127.0.0.1:{ports['service']}",
            "127.0.0.1:8080": f"127.0.0.1:{ports['content']}",
        },
    )


def caddy(ports: dict[str, int], *, fail_open: bool, plain: bool) -> str:
    """The same for Caddy."""
    text, options = _block("caddyfile", "www.example.org {"), "{\n"
    if fail_open:
        top, _, rest = _block("caddyfile", "# at the top").partition("# in forward_auth\n")
        options = top.partition("\n")[2].removesuffix("}\n")
        inside, beside = rest.split("# beside route\n")
        text = text.replace("            copy_headers", f"{inside}            copy_headers")
        text = text.removesuffix("}\n") + beside + "}\n"
    if plain:
        text = re.sub(r"\n            @ended.+?(?=\n        \}\n)", "", text, flags=re.DOTALL)
        assert "redir" not in text
    text = _swapped(
        text,
        {
            "www.example.org {": f"http://www.example.org:{ports['gateway']} {{\n    bind 127.0.0.1",
            "127.0.0.1:8001": f"127.0.0.1:{ports['service']}",
            "127.0.0.1:8080": f"127.0.0.1:{ports['content']}",
        },
    )
    return f"{options}    admin off\n    auto_https off\n}}\n{text}"


def command(
    kind: str, folder: Path, ports: dict[str, int], *, fail_open: bool = False, plain: bool = False, hasty: bool = False
) -> list[str]:
    """Writes the gateway's files, and says how it is started; a hasty one waits half a second for the service."""
    folder.mkdir()
    patience = {"timeout 2s": "timeout 500ms"} if hasty else {}
    if kind == "caddy":
        file = folder / "Caddyfile"
        file.write_text(_swapped(caddy(ports, fail_open=fail_open, plain=plain), patience))
        return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    file = folder / "nginx.conf"
    config = _swapped(nginx(ports, fail_open=fail_open, plain=plain), patience)
    file.write_text(nginx_main(folder, config))
    return [program("nginx"), "-c", str(file)]
