"""What the tests of the page's forms do, and what they let the server answer."""

from collections.abc import Callable
from typing import Any

from web_server import EXAMPLE, until

INSIDE = {name: index for index, name in enumerate(("inspect", "invert", "interpolate", "replay", "verify"))}
TRAINING = {
    "name": "cats", "state": "running", "step": 300, "loss": 0.25, "rate": 41.2, "left": 125, "samples": None,
    "losses": [[10, 0.9, "training"], [100, 0.5, "training"], [300, 0.25, "training"], [100, 0.6, "held out"],
               [300, 0.3, "held out"]],
    "said": "It learns 12 pictures.",
}  # fmt: skip
ITEM = {
    "verb": "compare", "medium": "picture", "words": "a dog", "source": "", "model": "storybook", "method": "naive",
    "seed": 1, "made": "2026-01-01T00:00:00", "starred": False, "boards": [], "guess": False, "input": None,
}  # fmt: skip


def answer(page: Any, address: str, body: Any, status: int = 200) -> list[Any]:
    """Let an address of the API answer with this; return what it is asked, which grows."""
    asked: list[Any] = []

    def handle(route: Any) -> None:
        asked.append(route.request.post_data_json if route.request.post_data else None)
        route.fulfill(status=status, json=body)

    page.route(address, handle)
    return asked


def field(page: Any, name: str, kind: str = "input") -> Any:
    return page.locator(f"regrow-form [data-field={name}] {kind}").first


def inside(page: Any, verb: str) -> None:
    page.locator("regrow-inside [role=tab]").nth(INSIDE[verb]).click()


def with_picture(page: Any) -> None:
    """Put the example on the canvas."""
    until(lambda: page.evaluate("import('/page/js/store.js').then(({state}) => state.schemas.edit)"))
    page.evaluate(
        """async (bytes) => {
            const {take} = await import("/page/js/create.js"), {upload} = await import("/page/js/api.js");
            take(await upload(new Blob([new Uint8Array(bytes)]), "cat.png"));
        }""",
        list(EXAMPLE.read_bytes()),
    )


def create(page: Any) -> Any:
    """What the form of Create holds."""
    return page.evaluate("import('/page/js/store.js').then(({state}) => state.create)")


def more(page: Any) -> None:
    page.locator("#side-more").click()
    page.wait_for_selector("regrow-more [data-field]")


def shown(page: Any) -> set[str]:
    return set(page.locator("regrow-more [data-field]").evaluate_all("all => all.map(one => one.dataset.field)"))


def item(name: str) -> dict[str, Any]:
    return {"id": f"j/{name}", "job": "j", "name": name, "url": "/page/icon.svg", "thumbnail": "/page/icon.svg"}


def job(verb: str, facts: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    """A job that is done."""
    progress = {"part": "", "index": 0, "steps": 0, "words": ""}
    return {
        "id": "j", "verb": verb, "state": "done", "place": 0, "progress": progress, "preview": None, "settings": {},
        "results": results, "beside": {}, "notes": [], "summary": "Done.", "guess": False, "facts": facts, "error": "",
        "made": "", "took": 1,
    }  # fmt: skip


def row(method: str, psnr: float | None, index: int) -> dict[str, Any]:
    return {
        "method": method, "strength": 0.9, "guidance": 4, "model": "storybook", "psnr": psnr, "ssim": 0.9,
        "evaluations": 12, "seconds": 1.5, "result": f"j/made-{index}.png", "error": None,
    }  # fmt: skip


def opened_at(opened: Callable, name: str, language: str = "en-US", **options: Any) -> Any:
    """Open the page, and a tab of it."""
    page = opened(language, **options)
    page.evaluate("(name) => (location.hash = name)", name)
    page.wait_for_selector(f"regrow-{name}")
    return page
