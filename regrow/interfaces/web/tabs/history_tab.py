"""The History tab: everything made, with its recipe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web import history
from regrow.interfaces.web.audio_player import Track, players
from regrow.interfaces.web.medium import FIELDS
from regrow.interfaces.web.own_files import owner_of
from regrow.interfaces.web.places import keep
from regrow.interfaces.web.shared import Page, following, made_files, plain
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.texts import refusal, said, text
from regrow.media.files import MediaError
from regrow.media.medium import medium_of


def build(page: Page, tab: Any) -> None:
    """Build the tab; the other tabs are there already, for their fields are filled from here."""
    generate, edit = page.fields["generate"], page.fields["edit"]
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            refresh = gr.Button(text("refresh"), size="sm")
            gr.Markdown(text("made"))
            pictures = gr.Gallery(
                label=text("made"), show_label=False, columns=4, height=640, object_fit="contain", interactive=False,
                allow_preview=False, buttons=[], elem_id="history",
            )  # fmt: skip
            older = gr.Button(text("older"), size="md", visible=False, elem_id="older")
        with gr.Column(scale=2, min_width=320):
            dropped = gr.File(label=text("drop"), height=150, elem_id="dropped")
            status = gr.HTML(elem_id="history-status")
            chosen = gr.Image(
                interactive=False, show_label=False, height=240, type="filepath", buttons=["download"], elem_id="chosen"
            )
            players_shown = gr.HTML(elem_id="chosen-sound")
            with gr.Row():
                reuse = gr.Button(text("reuse"), size="md", elem_id="reuse")
                edit_this = gr.Button(text("edit_this"), size="md", elem_id="edit-this")
                replay = gr.Button(text("replay"), size="md", elem_id="replay")
                cancel = gr.Button(text("cancel"), size="md", variant="stop", elem_id="cancel-replay")
            with gr.Row():
                delete = gr.Button(text("delete"), size="sm", elem_id="delete")
                really = gr.Button(text("really_delete"), size="sm", variant="stop", visible=False, elem_id="really")
            with gr.Accordion(text("recipe"), open=False):
                recipe = gr.JSON(show_label=False)
    files, picked = gr.State([]), gr.State("")
    most = gr.State(history.PAGE)
    filled = [*generate.values(), *edit.values()]
    listing = [pictures, files, older]
    panel = [chosen, players_shown, picked, recipe, really]

    def show(most: int, picked: str, request: gr.Request) -> tuple[Any, list[str], Any]:
        paths = [str(path) for path in history.listed(most + 1, page.files, owner_of(request))]
        files = paths[:most]
        thumbnails = [(str(history.picture_of(Path(path))), history.caption(Path(path))) for path in files]
        selected = files.index(picked) if picked in files else None
        return gr.update(value=thumbnails, selected_index=selected), files, gr.update(visible=len(paths) > most)

    def shown(path: str | None, request: gr.Request) -> tuple[Any, str]:
        if path and (preview := history.picture_of(Path(path))) != Path(path):
            track = Track(Path(path), history.caption(Path(path)), preview)
            return gr.update(value=None, visible=False), players([track], request)
        return gr.update(value=path, visible=True), ""

    def pick(files: list[str], event: gr.SelectData, request: gr.Request) -> tuple[Any, ...]:
        return picture(files[event.index], request)

    def picture(path: str, request: gr.Request) -> tuple[Any, ...]:
        return *shown(path, request), path, history.recipe_of(Path(path)), gr.update(visible=False)

    def fill(path: str, request: gr.Request) -> dict[Any, Any]:
        if not path:
            return {status: said("pick_first", request)}
        try:
            kind, settings, here = history.settings_in(Path(path), page.files, owner_of(request))
        except MediaError as problem:
            raise refusal(problem, request) from problem
        fields = generate if kind == "generate" else edit
        updates = {fields[name]: gr.update(value=value) for name, value in settings.items() if name in fields}
        words = said("taken", request, tab=said(kind, request)) if here else said("taken_without", request)
        return {status: words, page.tabs: gr.update(selected=kind), **updates}

    def take_dropped(file: str | None, request: gr.Request) -> dict[Any, Any]:
        if not file:
            return {status: ""}
        try:
            keep(file)  # for its limits
            return fill(file, request)
        except (MediaError, OSError, gr.Error) as problem:
            words = problem.message if isinstance(problem, gr.Error) else refusal(problem, request).message
            gr.Warning(words, title="regrow")
            return {status: plain(words), dropped: None}

    def to_edit(path: str, request: gr.Request) -> dict[Any, Any]:
        if not path:
            return {status: said("pick_first", request)}
        medium = medium_of(path).name
        return {edit[FIELDS[medium]]: path, edit["medium"]: medium, page.tabs: gr.update(selected="edit")}

    def make_again(path: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if not path:
            yield said("pick_first", request), *(gr.skip() for _ in panel)
            return
        recipe = history.recipe_of(Path(path)) or {}
        read = {name: page.files.in_recipe(owner_of(request), recipe.get(name)) for name in history.FILES}
        settings = {"file": path} | {name: str(file) for name, file in read.items() if file}
        for state, words in following(page.ask(request, "again", settings), page, request):
            done = state.state == "done"  # what is shown is what is picked, or another would be deleted
            yield words, *(picture(made_files(state)[0], request) if done else (gr.skip() for _ in panel))

    def stop(request: gr.Request) -> None:
        if job := page.worker.latest(owner_of(request), ("again",)):
            page.worker.cancel(job)

    def ask_again(path: str, request: gr.Request) -> tuple[Any, Any]:
        return gr.update(visible=bool(path)), "" if path else said("pick_first", request)

    def remove(path: str, most: int, request: gr.Request) -> tuple[Any, ...]:
        if path:
            try:
                history.delete(Path(path), page.files, owner_of(request))
            except (MediaError, OSError) as problem:
                raise refusal(problem, request) from problem
        return *show(most, "", request), None, "", "", None, gr.update(visible=False)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    tab.select(show, [most, picked], listing, **quiet)
    refresh.click(show, [most, picked], listing, **quiet)
    older.click(lambda most: most + history.PAGE, most, most, **quiet).then(show, [most, picked], listing, **quiet)
    pictures.select(pick, files, panel, **quiet)
    reuse.click(fill, picked, [status, page.tabs, *filled], **quiet)
    dropped.upload(take_dropped, dropped, [status, page.tabs, dropped, *filled], **quiet)
    edit_this.click(to_edit, picked, [status, edit["image"], edit["sound"], edit["medium"], page.tabs], **quiet)
    replay.click(make_again, picked, [status, *panel], **quiet).then(show, [most, picked], listing, **quiet)
    cancel.click(stop, None, None, queue=False, api_visibility="private")
    delete.click(ask_again, picked, [really, status], **quiet)
    really.click(remove, [picked, most], [*listing, *panel], **quiet)


TAB = Tab("history", 3, build)
