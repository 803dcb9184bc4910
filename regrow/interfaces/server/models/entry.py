"""Facts about a model for the API, found without computing."""

import re
from typing import TYPE_CHECKING, Any

from pydantic import Field

from regrow.interfaces.server.sentences import Sentence
from regrow.interfaces.server.stored import Stored
from regrow.messages.message import sentence_of

if TYPE_CHECKING:
    from regrow.models.model import Model
    from regrow.models.open import Listed

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
MOST_NAMED = 3
"""Number of a world's attributes whose values the description lists, the plainest first."""
MOST_LETTERS = 240


class Entry(Stored):
    """An entry of the list of models.

    Attributes:
        name: by which it is opened.
        medium: "picture" or "sound".
        family: its family; None if it cannot be opened.
        embedded: whether it is built in.
        licence: that it states; None if it states none.
        about: one line on what it knows, by language; "" if unknown.
        size_bytes: on disk.
        abilities: what it can do; see `abilities.abilities_of`.
        steps: recommended by its makers.
        guidance: recommended by its makers.
        extent: height and width in pixels; for sounds, seconds of a clip.
        multiple: sides of frames must be multiples of this.
        longest: longest possible side in pixels; None if there is no limit.
        edit_frame: how pictures to edit are best fitted to it.
        factor: downsampling factor of each side from frame to latent.
        takes_tiles: whether larger pictures can be denoised in tiles.
        singers: names of voices that sing notes, the default first; empty for most models.
        problem: a sentence that says why it cannot be opened; "" if it can.
    """

    name: str
    medium: str
    family: str | None = None
    embedded: bool = False
    licence: str | None = None
    about: dict[str, str] = Field(default_factory=dict)
    size_bytes: int = 0
    abilities: dict[str, bool] = Field(default_factory=dict)
    steps: int | None = None
    guidance: float | None = None
    extent: list[int] | float | None = None
    multiple: int | None = None
    longest: int | None = None
    edit_frame: str = "auto"
    factor: int | None = None
    takes_tiles: bool = False
    singers: list[str] = Field(default_factory=list)
    problem: Sentence = ""


def entry_of(listed: "Listed") -> Entry:
    """Return the entry of a listed model; the model is opened for this, but none of its parts."""
    from regrow.hub import publish
    from regrow.interfaces.server.schemas.abilities import abilities_of
    from regrow.models.open import EMBEDDED, open_model

    known: dict[str, Any] = {
        "name": listed.name,
        "medium": listed.medium.name,
        "family": listed.family,
        "embedded": listed.folder.parent == EMBEDDED,
        "size_bytes": publish.size_on_disk(listed.folder),
    }
    try:
        model = open_model(listed.name, download=False)
    except (ValueError, OSError) as problem:
        known["family"] = None
        return Entry(**known, problem=sentence_of(problem))
    seconds = model.medium.rate(model) and round(_seconds(model), 2)
    return Entry(
        **known,
        licence=licence_of(model),
        about=_about(model),
        abilities=abilities_of(model),
        steps=model.own.steps,
        guidance=model.own.guidance,
        extent=seconds or list(model.size),
        multiple=model.multiple,
        longest=model.longest,
        edit_frame=model.edit_frame,
        factor=model.factor,
        takes_tiles=model.takes_tiles,
        singers=list(model.singers) if model.reads_scores else [],
    )


def licence_of(model: "Model") -> str | None:
    """Return the licence that a model states; None if it states none, or it cannot be read."""
    from regrow.hub import model_card

    try:
        stated = model_card.read_front_matter(model.folder).get("license")
        stated = stated or model_card.read_training(model.folder).get("license")
    except ValueError:
        return None
    return str(stated)[:100] if stated else None


def card_of(model: "Model") -> str:
    """Return a model's card as Markdown without its front matter; "" if there is none, or it is a link elsewhere."""
    from regrow.models.folder import leads_outside

    if not (model.folder / "README.md").is_file() or leads_outside(model.folder / "README.md", model.folder):
        return ""
    try:
        words = (model.folder / "README.md").read_text(encoding="utf-8", errors="replace")[:8000]
    except OSError:
        return ""
    return words.split("---", 2)[-1].strip() if words.startswith("---") else words.strip()


def _about(model: "Model") -> dict[str, str]:
    """Return one line on what a model knows: words of its world, its voices, or its card's first sentence."""
    from regrow.interfaces.server.texts import said
    from regrow.models.probes.attributes import read_describer
    from regrow.worlds.world import WORLDS

    try:
        describer = read_describer(model.folder, model.latent_channels)
    except (ValueError, OSError):
        describer = None
    if describer and describer.world in WORLDS:
        world = WORLDS[describer.world]
        named = list(world.attributes.items())[:MOST_NAMED]
        listed = world.lexicon.listed
        chinese = [[_chinese(listed.get(name, {}).get(value, ()), value) for value in values] for name, values in named]
        return {
            "en": "; ".join(", ".join(values) for _, values in named),
            "zh": "；".join("、".join(values) for values in chinese),
        }
    if model.reads_scores:
        return {language: said("about_singer", language, voices=", ".join(model.singers)) for language in ("en", "zh")}
    text = [line for line in card_of(model).splitlines() if line.strip() and not line.startswith(("#", "|", "!", "<"))]
    sentence = re.split(r"(?<=[.!?])\s", " ".join(text), maxsplit=1)[0][:MOST_LETTERS] if text else ""
    return {"en": sentence, "zh": sentence}


def _chinese(words: Any, value: str) -> str:
    return next((word for word in words if CHINESE.fullmatch(word)), value)


def _seconds(model: "Model") -> float:
    assert model.waves is not None
    return model.size[-1] * model.waves.samples_per_frame / model.waves.rate
