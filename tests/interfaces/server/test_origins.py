"""Who may ask the server something: every method and form of origin, with a password and without, over HTTP."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from web_server import EXAMPLE, Server

from regrow.interfaces.server.guard import Guard, is_local
from regrow.interfaces.server.login import SESSION, Login
from regrow.media.files import file_hash

ROADS = [
    ("GET", "/"), ("HEAD", "/"), ("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/api/jobs"),
    ("GET", "/api/events"), ("GET", "/api/files/0123456789abcdef0123456789abcdef.png"), ("GET", "/page/js/api.js"),
    ("GET", "/api/results/x/y"), ("POST", "/api/files?name=x.png"), ("POST", "/login"), ("POST", "/api/generate"),
    ("POST", "/api/edit"), ("POST", "/api/jobs/x/cancel"), ("OPTIONS", "/api/files"), ("OPTIONS", "/"),
    ("PUT", "/api/files"), ("PATCH", "/"), ("DELETE", "/"), ("GET", "/logout"), ("POST", "/logout"),
    ("GET", "/nothing"),
]  # fmt: skip
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


def strangers(port: int) -> list[str]:
    """Origins that are not the page's."""
    names = ["https://evil.example", "null", "file://", "", "http://", "data:", "chrome-extension://abc"]
    names += [f"http://localhost:{port}", f"http://127.0.0.2:{port}", f"http://[::1]:{port}", f"http://0.0.0.0:{port}"]
    names += ["http://127.0.0.1", f"http://127.0.0.1:{port + 1}", f"http://127.0.0.1:{port}0", "http://127.0.0.1:8000"]
    names += [f"http://127.0.0.1:{port}.evil.example", f"http://127.0.0.1:{port}@evil.example"]
    names += [f"http://evil.example/127.0.0.1:{port}", f"ftp://127.0.0.1:{port}", f"127.0.0.1:{port}"]
    return [*names, f"http://127.0.0.1:{port},http://evil.example", f"http://127.0.0.1:{port} http://evil.example"]


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "set-cookie" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_another_sites_origin_gets_nothing_by_any_road(either: Server) -> None:
    with either.caller() as client:  # with the cookies of the user, as a browser might send them
        for method, path in ROADS:
            for origin in strangers(either.port):
                refused(client.request(method, path, headers={"origin": origin} | PREFLIGHT))
            for site in ("cross-site", "same-site", "anything"):
                for more in ({}, {"origin": either.address}, {"sec-fetch-mode": "no-cors"}):
                    refused(client.request(method, path, headers={"sec-fetch-site": site} | more))
        both = [("origin", either.address), ("origin", "https://evil.example")]
        refused(client.post("/api/files", headers=both))


def test_the_page_itself_and_programs_are_answered_and_no_origin_is_echoed(either: Server) -> None:
    with either.caller() as client:
        for headers in ({}, {"origin": either.address}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
            for path in ("/", "/openapi.json", "/docs", "/page/js/api.js", "/api/jobs"):
                answer = client.get(path, headers=headers)
                assert answer.status_code == 200, path
                assert not [name for name in answer.headers if name.startswith("access-control")]
            kept = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes(), headers=headers)
            assert kept.status_code == 200


def test_every_answer_forbids_what_is_not_of_the_page(either: Server) -> None:
    with either.caller() as client:
        for method, path in ROADS:
            if path != "/api/events":
                answer = client.request(method, path)
                rules = answer.headers["content-security-policy"]
                assert "default-src 'self'" in rules
                assert "script" not in rules  # as default-src: no inline scripts, no eval
                assert "http" not in rules
                assert answer.headers["x-content-type-options"] == "nosniff"
        for path in ("/", "/docs"):
            page = client.get(path).text
            assert "https://" not in page
            assert "//cdn" not in page


def test_cookies_are_strict_and_hidden_from_scripts(either: Server) -> None:
    cookies = httpx.get(either.address).headers.get_list("set-cookie")
    if either.password:
        given = {"password": either.password}
        cookies += httpx.post(f"{either.address}/login", data=given).headers.get_list("set-cookie")
    assert len(cookies) == (3 if either.password else 1)
    for cookie in cookies:
        assert cookie.lower().count("samesite=") == 1
        assert "SameSite=Strict" in cookie
        assert "HttpOnly" in cookie


def test_a_link_from_another_site_leads_to_a_door_that_gives_no_cookie(either: Server) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = httpx.get(either.address, headers=link)
    refused(answer)
    assert '<a href="/">' in answer.text
    assert "打开 regrow" in httpx.get(either.address, headers=link | {"accept-language": "zh-CN"}).text
    refused(httpx.get(either.address, headers=link | {"sec-fetch-dest": "iframe"}))
    # where the browser does not say where a link was, as on a plain address of a network: its cookie may be held back
    assert "set-cookie" not in httpx.get(either.address, headers={"accept": "text/html"}).headers


def test_a_socket_is_not_opened(either: Server) -> None:
    asked = (
        f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{either.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Origin: https://evil.example\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", either.port), timeout=20) as line:
        line.sendall(asked.encode())
        assert line.recv(4096).split(b"\r\n")[0].split(b" ")[1] == b"403"


def answers(host: str, origin: str, login: Login | None, kind: str = "http") -> bool:
    """Whether a guard lets a request with this Host and Origin through, from who has logged in."""
    let: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        let.append(scope)

    async def send(message: Any) -> None:
        """Nobody reads what is sent."""

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    if login:
        headers.append((b"cookie", f"{SESSION}={login.begin()}".encode()))
    scope = {"type": kind, "method": "GET", "path": "/x", "headers": headers, "scheme": "http"}
    asyncio.run(Guard(app, login)(scope, None, send))  # pyright: ignore
    return bool(let)


@pytest.mark.parametrize(
    ("host", "origin", "named", "let"),
    [
        ("127.0.0.1:7860", "http://127.0.0.1:7860", False, True),
        ("LOCALHOST:7860", "http://localhost:7860", False, True),
        ("[::1]:7860", "http://[::1]:7860", False, True),
        ("127.0.0.1:7860", "", False, True),
        ("evil.example", "", False, False),  # DNS rebinding
        ("evil.example", "http://evil.example", False, False),
        ("127.0.0.1.evil.example", "", False, False),
        ("", "", False, False),
        # --host, and a proxy that passes on the name it was asked under
        ("192.168.1.2:7860", "http://192.168.1.2:7860", True, True),
        ("regrow.example.org", "https://regrow.example.org", True, True),
        ("regrow.example.org", "https://evil.example", True, False),
        ("regrow.example.org", "", True, True),
        ("", "http://", True, False),
        # a proxy that does not: its pages cannot be told from another site's
        ("127.0.0.1:7860", "https://regrow.example.org", True, False),
    ],
)
def test_names_of_the_server(host: str, origin: str, named: bool, let: bool, tmp_path: Path) -> None:
    login = Login("eight letters", tmp_path / "sessions.json") if named else None
    assert answers(host, origin, login) == let
    assert not answers(host, origin, login, "websocket")


def test_only_addresses_of_this_computer_are_local() -> None:
    local = [is_local(host) for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost")]
    assert all(local)
    assert not [host for host in ("0.0.0.0", "::", "example.org", "localhost.example.org", "") if is_local(host)]


@contextmanager
def site(page: str) -> Iterator[str]:
    """Another site, on a port of this computer, with one page."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *_: Any) -> None:
            """Says nothing."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f":{served.server_address[1]}"
    served.shutdown()


TRIES = """async ([page, picture]) => {
    const tried = {};
    const upload = { method: 'POST', body: new Blob([new Uint8Array(picture)]) };
    const asks = { get: [page + '/api/jobs', {}], upload: [page + '/api/files?name=x.png', upload] };
    for (const [name, [address, options]] of Object.entries(asks))
        for (const mode of ['cors', 'no-cors'])
            try {
                const answer = await fetch(address, { ...options, mode, credentials: 'include' });
                tried[name + mode] = answer.status;
            } catch { tried[name + mode] = 'refused'; }
    return tried;
}"""


def test_another_site_in_a_real_browser_reads_and_sends_nothing(chromium: Any, server: Server, tmp_path: Path) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("regrow-app")  # the browser has its cookie
    Image.new("RGB", (23, 41), "teal").save(tmp_path / "x.png")  # no other test uploads this one
    upload = server.home / "page" / "pictures" / f"{file_hash(tmp_path / 'x.png')}.png"
    given = [server.address, list((tmp_path / "x.png").read_bytes())]
    with site("<p>Evil<iframe sandbox='allow-scripts' srcdoc='<p>framed'></iframe>") as port:
        for name in ("127.0.0.1", "localhost"):
            page.goto(f"http://{name}{port}")
            for frame in page.frames:  # the sandboxed one has the origin "null"
                tried = frame.evaluate(TRIES, given)
                assert {tried["getcors"], tried["uploadcors"]} == {"refused"}
                assert set(tried.values()) <= {"refused", 0}  # 0: an answer that nobody may read
        page.set_content(f"<a href='{server.address}'>go</a>")
        page.click("a")
        page.get_by_role("link", name="Open regrow").click()
        page.wait_for_selector("regrow-app")
    assert not upload.exists()
    # the same request, where it is let through, keeps the picture: what was refused above was not refused for itself
    assert page.evaluate(TRIES, given)["uploadcors"] == 200
    assert upload.exists()
    context.close()
