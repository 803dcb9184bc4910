"""Who may ask the page something: every method and form of origin, with a password and without, over HTTP."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from web_server import EXAMPLE, Server

from regrow.interfaces.web.guard import Guard
from regrow.interfaces.web.own_files import OwnFiles

ROADS = [
    ("GET", "/"), ("HEAD", "/"), ("GET", "/config"), ("GET", "/gradio_api/info"), ("GET", "/gradio_api/heartbeat/x"),
    ("GET", "/gradio_api/queue/data?session_hash=x"), ("GET", "/gradio_api/file=/etc/passwd"), ("GET", "/theme.css"),
    ("GET", "/gradio_api/upload_progress?upload_id=x"), ("POST", "/gradio_api/upload"), ("POST", "/login"),
    ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/run/predict"), ("POST", "/gradio_api/call/edit"),
    ("POST", "/gradio_api/cancel"), ("OPTIONS", "/gradio_api/upload"), ("OPTIONS", "/"), ("PUT", "/gradio_api/upload"),
    ("PATCH", "/"), ("DELETE", "/"), ("GET", "/logout"), ("GET", "/nothing"),
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
        refused(client.post("/gradio_api/upload", headers=both))


def test_the_page_itself_and_programs_are_answered_and_no_origin_is_echoed(either: Server) -> None:
    files = {"files": ("small.png", EXAMPLE.read_bytes())}
    with either.caller() as client:
        for headers in ({}, {"origin": either.address}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
            for path in ("/", "/config", "/gradio_api/info"):
                answer = client.get(path, headers=headers)
                assert answer.status_code == 200
                assert not [name for name in answer.headers if name.startswith("access-control")]
            assert client.post("/gradio_api/upload", files=files, headers=headers).status_code == 200


def test_cookies_are_strict_and_hidden_from_scripts(either: Server) -> None:
    fresh = httpx.get(either.address)
    cookies = fresh.headers.get_list("set-cookie")
    if either.password:
        given = {"username": "regrow", "password": either.password}
        cookies += httpx.post(f"{either.address}/login", data=given).headers.get_list("set-cookie")
    assert len(cookies) == (4 if either.password else 1)
    for cookie in cookies:
        assert cookie.lower().count("samesite=") == 1
        assert "SameSite=Strict" in cookie
        assert "HttpOnly" in cookie


def test_a_link_from_another_site_leads_to_a_door_that_gives_no_cookie(either: Server) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = httpx.get(either.address, headers=link)
    refused(answer)
    assert '<a href="/">' in answer.text
    refused(httpx.get(either.address, headers=link | {"sec-fetch-dest": "iframe"}))
    # where the browser does not say where a link was, as on a plain address of a network: its cookie may be held back
    assert "set-cookie" not in httpx.get(either.address, headers={"accept": "text/html"}).headers


def test_a_socket_is_not_opened(either: Server) -> None:
    asked = (
        f"GET /gradio_api/queue/data HTTP/1.1\r\nHost: 127.0.0.1:{either.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Origin: https://evil.example\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", either.port), timeout=20) as line:
        line.sendall(asked.encode())
        assert line.recv(4096).split(b"\r\n")[0].split(b" ")[1] == b"403"


def answers(host: str, origin: str, *, named: bool, public: set[str], kind: str = "http") -> bool:
    """Whether a guard lets a request with this Host and Origin through."""
    let: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        let.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    scope = {"type": kind, "method": "GET", "path": "/x", "headers": headers, "scheme": "http"}
    asyncio.run(Guard(app, OwnFiles(private=named), named, public)(scope, None, send))  # pyright: ignore
    return bool(let)


@pytest.mark.parametrize(
    ("host", "origin", "named", "public", "let"),
    [
        ("127.0.0.1:7860", "http://127.0.0.1:7860", False, "", True),
        ("LOCALHOST:7860", "http://localhost:7860", False, "", True),
        ("[::1]:7860", "http://[::1]:7860", False, "", True),
        ("127.0.0.1:7860", "", False, "", True),
        ("evil.example", "", False, "", False),  # DNS rebinding
        ("evil.example", "http://evil.example", False, "", False),
        ("127.0.0.1.evil.example", "", False, "", False),
        ("", "", False, "", False),
        # --host, and a proxy that passes on the name it was asked under
        ("192.168.1.2:7860", "http://192.168.1.2:7860", True, "", True),
        ("regrow.example.org", "https://regrow.example.org", True, "", True),
        ("regrow.example.org", "https://evil.example", True, "", False),
        ("regrow.example.org", "", True, "", True),
        ("", "http://", True, "", False),
        # a proxy that does not: its pages cannot be told from another site's
        ("127.0.0.1:7860", "https://regrow.example.org", True, "", False),
        # --share, whatever its tunnel passes on
        ("127.0.0.1:7860", "https://abc.gradio.live", True, "abc.gradio.live", True),
        ("127.0.0.1:7860", "https://evil.gradio.live", True, "abc.gradio.live", False),
    ],
)
def test_names_of_the_page(host: str, origin: str, named: bool, public: str, let: bool) -> None:
    assert answers(host, origin, named=named, public={public} - {""}) == let
    assert not answers(host, origin, named=named, public={public} - {""}, kind="websocket")


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


TRIES = """async (page) => {
    const tried = {};
    const body = new FormData();
    body.append('files', new Blob(['x']), 'x.png');
    const asks = { get: [page + '/config', {}], upload: [page + '/gradio_api/upload', { method: 'POST', body }] };
    for (const [name, [address, options]] of Object.entries(asks))
        for (const mode of ['cors', 'no-cors'])
            try {
                const answer = await fetch(address, { ...options, mode, credentials: 'include' });
                tried[name + mode] = answer.status;
            } catch { tried[name + mode] = 'refused'; }
    return tried;
}"""


def test_another_site_in_a_real_browser_reads_and_sends_nothing(chromium: Any, server: Server) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("#go-edit")  # the browser has its cookie

    def uploads() -> set[str]:
        return {str(path) for path in (server.home / "page" / "uploads").rglob("*")}

    before = uploads()
    with site("<p>Evil<iframe sandbox='allow-scripts' srcdoc='<p>framed'></iframe>") as port:
        for name in ("127.0.0.1", "localhost"):
            page.goto(f"http://{name}{port}")
            for frame in page.frames:  # the sandboxed one has the origin "null"
                tried = frame.evaluate(TRIES, server.address)
                assert {tried["getcors"], tried["uploadcors"]} == {"refused"}
                assert set(tried.values()) <= {"refused", 0}  # 0: an answer that nobody may read
        page.set_content(f"<a href='{server.address}'>go</a>")
        page.click("a")
        page.get_by_role("link", name="Open regrow").click()
        page.wait_for_selector("#go-edit")
    assert uploads() == before
    context.close()
