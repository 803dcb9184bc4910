"""The Models tab: what is here, what it is, and how to get more."""

from pathlib import Path
from typing import Any

import gradio as gr

from regrow.hub import model_card, publish, pulling
from regrow.hub.download import size_text
from regrow.interfaces.web import processes
from regrow.interfaces.web.medium import medium_of
from regrow.interfaces.web.shared import Page, beginnings, model_names, plain, worded
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.texts import TEXTS, refusal, said, text
from regrow.media.files import MediaError
from regrow.models.open import Listed, list_models, open_model, plain_name, user_models

PULL = ".pull"
"""The name of the process that downloads; a dot, so that no training is called so."""


COLUMNS = ["name", "medium", "family", "licence", "size"]


def build(page: Page, tab: Any) -> None:
    """Build the tab; it shows the models that are here in all fields that choose among them."""
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            table = gr.Dataframe(
                headers=[TEXTS[name]["en"] for name in COLUMNS], datatype="str", interactive=False, wrap=True,
                label=text("models_here"), elem_id="models",
            )  # fmt: skip
            facts = gr.Markdown(
                text("click_model"), elem_id="model-facts", container=True, min_height=120, sanitize_html=True
            )
        with gr.Column(scale=2, min_width=320):
            gr.Markdown(text("pull"))
            with gr.Group():
                repo = gr.Textbox(label=text("repo"), placeholder="user/name", elem_id="repo")
                with gr.Row(equal_height=True):
                    pull = gr.Button(text("go_pull"), variant="primary", size="md", elem_id="go-pull")
                    stop = gr.Button(text("stop"), variant="stop", size="md", elem_id="stop-pull")
            status = gr.HTML(elem_id="models-status")
            with gr.Group(visible=page.local):
                folder = gr.Textbox(label=text("folder"), elem_id="model-folder")
                name = gr.Textbox(label=text("name"))
                add = gr.Button(text("go_open"), size="md", elem_id="go-open")
            added = gr.HTML(elem_id="added")
    clock = gr.Timer(1, active=False)

    def show(request: gr.Request) -> tuple[Any, ...]:
        rows = [
            [listed.name, said(f"a_{medium_of(listed.name)}", request), listed.family or "?", _licence(listed.folder),
             size_text(publish.size_on_disk(listed.folder))]
            for listed in list_models()
        ]  # fmt: skip
        here = gr.update(choices=model_names())
        headed = gr.update(headers=[said(name, request) for name in COLUMNS], value=rows)
        return headed, here, here, here, gr.update(choices=beginnings())

    def tell(event: gr.SelectData, request: gr.Request) -> str:
        row = event.row_value[0]
        listed = next((one for one in list_models() if one.name == row), None)
        if not listed:
            return ""
        card = listed.folder / "README.md"
        if not card.is_file():
            return default_card(listed, request)
        words = card.read_text(encoding="utf-8", errors="replace")[:8000]
        return words.split("---", 2)[-1] if words.startswith("---") else words  # the front matter is for machines

    def get(repo: str, request: gr.Request) -> tuple[str, Any]:
        if not model_card.is_repository(worded(repo)):
            raise gr.Error(said("no_repo", request), print_exception=False)
        if not processes.running(PULL):
            processes.start(PULL, ["models", "pull", worded(repo)])
        return _words(said("opening_hub", request)), gr.update(active=True)

    def watch(request: gr.Request) -> tuple[str, Any]:
        if processes.running(PULL):
            return _coming(request), gr.skip()
        return _words(processes.sentences(processes.output(PULL))), gr.update(active=False)

    def meet(repo: str, request: gr.Request) -> tuple[Any, Any, Any]:
        """What became of a download while nobody looked: it is at work, or what it lacks can be fetched."""
        if processes.running(PULL):
            return gr.skip(), _coming(request), gr.update(active=True)
        left = pulling.unfinished_pulls()
        if repo or not left:
            return gr.skip(), gr.skip(), gr.skip()
        status = {"repo": left[0].repo, "came": size_text(left[0].came), "size": size_text(left[0].size)}
        return left[0].repo, _words(said("rest", request, **status)), gr.skip()

    def halt(request: gr.Request) -> str:
        return _words(said("stopped_pull", request)) if processes.stop(PULL) else ""

    def link(folder: str, name: str, request: gr.Request) -> str:
        """Put a link to a folder among the user's models: it stays where it is."""
        if not page.local:
            raise gr.Error(said("local_only", request), print_exception=False)
        source = Path(worded(folder)).expanduser().resolve()
        try:
            name = plain_name(worded(name) or source.name)
            if any(listed.name == name for listed in list_models()):
                raise MediaError(f"There is a model {name} already; give another name.")
            if not source.is_dir():
                raise MediaError(f"There is no folder {source}: check its name.")
            open_model(source)
            user_models().mkdir(parents=True, exist_ok=True)
            (user_models() / name).symlink_to(source)
        except (ValueError, OSError) as problem:
            raise refusal(problem, request) from problem
        return _words(said("added", request, name=name))

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    choices = [page.fields["edit"]["model"], page.fields["generate"]["model"], page.fields["inside"]["model"]]
    outputs = [table, *choices, page.fields["train"]["start"]]
    tab.select(show, None, outputs, **quiet).then(meet, repo, [repo, status, clock], **quiet)
    table.select(tell, None, facts, **quiet)
    pull.click(get, repo, [status, clock], **quiet)
    repo.submit(get, repo, [status, clock], **quiet)
    stop.click(halt, None, status, **quiet)
    clock.tick(watch, None, [status, clock], **quiet).then(show, None, outputs, **quiet)
    page.fields["train"]["models"].change(show, None, outputs, **quiet)
    add.click(link, [folder, name], added, **quiet).then(show, None, outputs, **quiet)
    page.on_load.append((show, outputs))
    page.fields["train"]["tab"].select(show, None, outputs, **quiet)  # a model may have come since the page was built


def _licence(folder: Path) -> str:
    try:
        stated = model_card.read_front_matter(folder).get("license")
        return str(stated or model_card.read_training(folder).get("license") or "-")
    except ValueError:
        return "?"


def _coming(request: gr.Request) -> str:
    """How far the download at work is."""
    repo = processes.last_command(PULL)[-1]
    at_work = [one for one in pulling.unfinished_pulls() if one.repo == repo]
    if not at_work:
        return _words(said("opening_hub", request))
    came, size = at_work[0].came, at_work[0].size
    words = said("got", request, repo=repo, came=size_text(came), size=size_text(size))
    return _words(words, f'<progress value="{came}" max="{size}" aria-label="{plain(words)}"></progress>')


def _words(words: str, bar: str = "") -> str:
    return f'<div class="status" role="status" aria-live="polite">{plain(words)}{bar}</div>' if words else ""


def default_card(listed: Listed, request: gr.Request | None) -> str:
    """Return what is known of a model without a card, and what to do with it next, as Markdown."""
    makes = said(f"makes_{medium_of(listed.name)}", request)
    sentences = [said("card_is", request, makes=makes, size=size_text(publish.size_on_disk(listed.folder)))]
    try:
        training = model_card.read_training(listed.folder)
        sentences.append(_trained(training, request))
        licence = training.get("license")
    except (ValueError, TypeError, AttributeError, KeyError):  # whoever made the model wrote it
        licence = None
        sentences.append(said("card_unknown", request))
    heading = f"### {plain(listed.name)}"
    next_ = [said("card_next", request), *([] if licence else [said("card_licence", request, folder=listed.folder)])]
    return "\n\n".join([heading, plain("".join(sentences)), plain("".join(next_))])


def _trained(training: dict[str, Any], request: gr.Request | None) -> str:
    """On what it was trained, from which model on, in how many steps and how long.

    Raises:
        KeyError, TypeError, AttributeError: it is not what `regrow train` writes.
    """
    stages = training["stages"].values()
    steps, seconds = (sum(stage[what] or 0 for stage in stages) for what in ("steps", "seconds"))
    base = training.get("base_model")
    began = said("card_from", request, base=base) if base else said("card_new", request)
    given = {"data": training["data"], "began": began, "steps": steps, "minutes": f"{seconds / 60:.1f}"}
    return said("card_trained", request, **given)


TAB = Tab("models", 6, build)
