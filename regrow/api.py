"""The public functions, each from a request, or its fields, to a `Result`. `import regrow` does not load this file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regrow.core.progress import Progress, finish
from regrow.editing import edit as editing
from regrow.editing import extend as extending
from regrow.editing import generate as generating
from regrow.editing import interpolate as interpolating
from regrow.editing import replay as replaying
from regrow.editing.result import Result
from regrow.interfaces.reporting import for_medium, for_song
from regrow.models.engines.choose import with_engine
from regrow.models.engines.names import EngineName
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate

Watch = Callable[[Progress], None]


def edit(
    image: str | Path | Edit,
    target: str | Sequence[str] = (),
    *,
    source: str = "",
    model: str | Path | Model = "",
    engine: EngineName = "auto",
    watch: Watch | None = None,
    **settings: Any,
) -> Result:
    """Edit a picture or a sound by a prompt, and keep everything else.

    Args:
        image: the file, or a whole request, which then says everything else.
        target: what it should show or sound like; several share one inversion.
        source: what it shows or sounds like now; "auto" describes it automatically.
        model: an opened model, a name, a folder or a hub id; if not given, the model that sang the file, or else the
            embedded one of its medium.
        engine: what computes the networks; see `regrow edit --help`.
        watch: is shown every step.
        settings: further fields of `Edit`.

    Raises:
        MediaError: a file cannot be used.
        ModelError: the model cannot be opened.
        ValueError: a setting is out of range or does not fit.
    """
    if isinstance(image, Edit):
        request = image
    else:
        targets = (target,) if isinstance(target, str) and (target or not settings.get("to_lyrics")) else tuple(target)
        request = _request(Edit, model, image=Path(image), target=targets, source=source, **settings)
    request = for_medium(for_song(request, request.image), request.image)
    return finish(editing.edit(request, _opened(request, model, engine)), watch)


def generate(
    prompt: str | Generate,
    *,
    model: str | Path | Model = "",
    engine: EngineName = "auto",
    watch: Watch | None = None,
    **settings: Any,
) -> Result:
    """Generate pictures or sounds from a prompt; with a melody file or a model of sounds, a sound.

    Args:
        prompt: what is shown or heard, or a whole request.
        model: as for `edit`; storybook if not given.
        engine: as for `edit`.
        watch: is shown every step.
        settings: further fields of `Generate`.

    Raises:
        MediaError: the melody cannot be used.
        ModelError: the model cannot be opened.
        ValueError: a setting is out of range or does not fit.
    """
    request = prompt if isinstance(prompt, Generate) else _request(Generate, model, prompt=prompt, **settings)
    request = for_medium(request, request.melody, request.reference_sound)
    return finish(generating.generate(request, _opened(request, model, engine)), watch)


def extend(request: Extend, *, model: Model | None = None, watch: Watch | None = None) -> Result:
    """Extend a sound after its end or before its beginning; raises as `edit` does."""
    request = for_song(request, request.sound)
    return finish(extending.extend(request, _opened(request, model or "", "auto")), watch)


def interpolate(request: Interpolate, *, model: Model | None = None, watch: Watch | None = None) -> Result:
    """Interpolate between two pictures, sounds or prompts; raises as `edit` does."""
    request = for_medium(request, request.first)
    return finish(interpolating.interpolate(request, _opened(request, model or "", "auto")), watch)


def replay(
    file: str | Path, *, folders: Sequence[str | Path] = (), download: bool = False, watch: Watch | None = None
) -> replaying.Replayed:
    """Make a result again from the recipe in its file, and say whether it is the same, bit for bit.

    Args:
        file: a picture or a sound that regrow saved.
        folders: that hold what it was made from, also its model, beside the current folder and the file's own.
        download: whether a model that is not here is fetched from the hub.
        watch: is shown every step.

    Raises:
        MediaError: the file has no recipe, or what it was made from has changed.
        ModelError: the model, or what computed it, cannot be had here.
    """
    recipe = replaying.recipe_in(Path(file))
    request = replaying.request_from(recipe, *map(Path, folders), Path(file).parent)
    places = (*map(Path, folders), Path(file).parent)
    loras, embeddings = replaying.loras_of(recipe, *places), replaying.embeddings_of(recipe, *places)
    model = open_model(request.model, download=download, lora=loras, embedding=embeddings)
    return finish(replaying.replay(recipe, request, model), watch)


def _request(kind: Any, model: str | Path | Model, **fields: Any) -> Any:
    name = str(model.folder) if isinstance(model, Model) else str(model)
    return kind(**fields | ({"model": name} if name else {}))


def _opened(request: Any, model: str | Path | Model, engine: EngineName) -> Model:
    return model if isinstance(model, Model) else with_engine(open_model(request.model), engine)
