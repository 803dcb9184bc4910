"""The page: its tabs, its look, and what it lets in and out."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, TextIO
from urllib.parse import urlsplit

from regrow.interfaces.web.places import MOST_BYTES, made
from regrow.interfaces.web.places import page as place

# before gradio reads them: its copies lie with the page's own files, and nothing is reported to anyone
os.environ["GRADIO_TEMP_DIR"] = str(place() / "uploads")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for loose in ("GRADIO_ALLOWED_PATHS", "GRADIO_SHARE", "GRADIO_SERVER_NAME", "GRADIO_MCP_SERVER", "GRADIO_ROOT_PATH"):
    os.environ.pop(loose, None)  # each would open the page further than asked for

import gradio as gr  # noqa: E402
from gradio.themes import Base, Soft  # noqa: E402

from regrow.interfaces.web.assets import asset  # noqa: E402
from regrow.interfaces.web.calls import BAD_CALLS, PageBlocks  # noqa: E402
from regrow.interfaces.web.guard import Guard, is_local  # noqa: E402
from regrow.interfaces.web.history import fields_of_job  # noqa: E402
from regrow.interfaces.web.job_handlers import KINDS  # noqa: E402
from regrow.interfaces.web.own_files import OwnFiles, owner_of  # noqa: E402
from regrow.interfaces.web.shared import Page, Show  # noqa: E402
from regrow.interfaces.web.tabs import all_tabs  # noqa: E402
from regrow.interfaces.web.texts import I18N, text  # noqa: E402
from regrow.interfaces.web.worker import Worker  # noqa: E402

USER = "regrow"
STYLES = ("page.css", "audio_player.css", "painter.css")
SCRIPTS = ("audio_player.js", "before_after.js")


def build(page: Page) -> gr.Blocks:
    """The page's blocks."""
    with PageBlocks(title="regrow", analytics_enabled=False, delete_cache=(3600, 86400)) as blocks:
        blocks.files = page.files
        gr.Markdown("# regrow", elem_id="title")
        gr.Markdown(text("about"))
        with gr.Tabs() as page.tabs:
            for tab in all_tabs():
                with gr.Tab(text(tab.name), id=tab.name) as component:
                    tab.build(page, component)

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        for show, outputs in page.on_load:
            blocks.load(show, None, outputs, **quiet)
        for kind, (show, outputs) in page.last_jobs.items():
            fields = page.fields[kind]
            # without the queue, for a field that is still awaited is none for whoever asks
            blocks.load(_filled(page, kind, fields), None, list(fields.values()), queue=False, **quiet)
            blocks.load(_attached(page, kind, show, outputs), None, outputs, **quiet)
    return blocks


def serve(host: str, port: int, share: bool, password: str, open_browser: bool, lock: TextIO) -> None:
    """Serve the page until the process is stopped.

    Args:
        host: the address to listen on.
        port: 0 takes the first free one from 7860 on.
        share: also tunnel it to a public address of gradio's.
        password: of the user "regrow"; needed where others can reach the page.
        open_browser: show it at once.
        lock: of `only_one`; the page's address is written there.

    Raises:
        ValueError: others could reach it and there is no password, or there is no such port.
    """
    if not 0 <= port <= 65_535:
        raise ValueError(f"--port must be from 0, which takes a free one, to 65535; got {port}.")
    local = is_local(host) and not share
    if not local and len(password) < 8:
        raise ValueError(
            "Others can reach the page there, so it needs a password of 8 characters or more: put it into the "
            f'environment variable REGROW_PASSWORD; the user\'s name is "{USER}".'
        )
    for folder in (made(), place() / "pictures", place() / "sounds", place() / "uploads"):
        folder.mkdir(parents=True, exist_ok=True)
    files = OwnFiles(private=bool(password))
    # behind a password others may come, be it through a proxy on this computer
    blocks = build(Page(Worker(KINDS, "storybook"), local and not password, files))
    public: set[str] = set()

    @asynccontextmanager
    async def guarded(app: Any) -> AsyncIterator[None]:
        """Put the guard before gradio's own layers, which otherwise answer other sites before it is asked."""
        app.middleware_stack = Guard(app.middleware_stack, files, named=bool(password), public=public)
        yield

    blocks.queue(default_concurrency_limit=None)  # they only watch: the worker is the one that works
    _, address, shared = blocks.launch(
        server_name=host,
        server_port=port or None,
        share=share,
        auth=[(USER, password)] if password else None,
        inbrowser=open_browser,
        quiet=True,
        prevent_thread_lock=True,
        allowed_paths=[str(made()), str(place() / "pictures"), str(place() / "sounds")],
        max_file_size=MOST_BYTES,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        mcp_server=False,
        pwa=False,
        footer_links=["api", "settings"],
        i18n=I18N,
        theme=_theme(),
        css="\n".join(map(asset, STYLES)),
        head="".join(f"<script>\n{asset(name)}</script>" for name in SCRIPTS),
        app_kwargs={
            "docs_url": None,  # swagger's page takes its script from the network
            "redoc_url": None,
            "lifespan": guarded,
            "exception_handlers": BAD_CALLS,
        },
    )
    public |= {urlsplit(shared).netloc} if shared else set()
    print(f"The page is at {shared or address} (Ctrl-C ends it; trainings go on).", flush=True)
    lock.write(shared or address)
    lock.flush()
    blocks.block_thread()


def _theme() -> Base:
    """Fonts of this computer, and text that stands out from its ground at 4.5 to 1 or better."""
    theme = Soft(primary_hue="green", font=["system-ui", "sans-serif"], font_mono=["monospace"])
    dark, light = "*primary_800", "*primary_200"
    return theme.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_text_color="white",
        button_primary_text_color_hover="white",
        block_label_text_color=dark,
        block_label_text_color_dark=light,
        block_title_text_color=dark,
        block_title_text_color_dark=light,
        block_label_background_fill_dark="*primary_900",
        block_title_background_fill_dark="*primary_900",
        button_secondary_background_fill_hover_dark="*neutral_700",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        slider_color="*primary_700",
        input_border_width="1px",
        input_border_color="*neutral_500",
        input_border_color_dark="*neutral_500",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        button_border_width="1px",
        button_secondary_border_color="*neutral_400",
        button_secondary_border_color_dark="*neutral_500",
        checkbox_label_background_fill_selected="*primary_700",
        checkbox_label_background_fill_selected_dark="*primary_700",
    )


def _filled(page: Page, kind: str, fields: dict[str, Any]) -> Any:
    """Return what puts into a tab's fields what the browser asked for last, when a page is opened again."""

    def fill(request: gr.Request) -> dict[Any, Any]:
        job = page.worker.latest(owner_of(request), (kind,))
        values = fields_of_job(job) if job and job.whole else {}
        return {fields[name]: value for name, value in values.items() if name in fields} or gr.skip()

    return fill


def _attached(page: Page, kind: str, show: Show, outputs: list[Any]) -> Any:
    """Return what shows the browser's last job of a kind again when a page is opened."""

    def attach(request: gr.Request) -> Iterator[Any]:
        job = page.worker.latest(owner_of(request), (kind,))
        if job and job.whole:
            yield from show(job, page, request)
        else:
            yield gr.skip() if len(outputs) == 1 else tuple(gr.skip() for _ in outputs)

    return attach
