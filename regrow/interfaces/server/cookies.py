"""Read cookies from the headers of a request, and write them for those of an answer."""

from collections.abc import Mapping

from starlette.types import Scope


def cookie_in(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a cookie; "" if there is none."""
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return next((value for key, _, value in pairs if key == name), "")


def cookie_set(name: str, value: str, lasts: int, scope: Scope) -> str:
    """Return a Set-Cookie value; scripts cannot read the cookie, and requests from other sites do not carry it."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{name}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}"
