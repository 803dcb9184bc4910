"""Train a new model or continue one, on a folder or a world."""

import json
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from torch import nn

from regrow import __version__
from regrow.core.progress import Progress
from regrow.media.cache import check_home
from regrow.media.files import MediaError, reason, sync_folder
from regrow.media.home import home
from regrow.media.one_process import only_one
from regrow.messages.message import say
from regrow.models.adapters.lora import save_and_merge_lora
from regrow.models.model import Model
from regrow.models.probes.attributes import copy_describer
from regrow.models.saving import save_model
from regrow.models.sidecars.singers_file import write_singers
from regrow.models.vocabulary import learn_words
from regrow.requests.train import Train
from regrow.training.codec_stage import scale_latents
from regrow.training.distributed import make_accelerator
from regrow.training.loop import DivergedError, FitState, fit
from regrow.training.run_log import RunLog, facts_of
from regrow.training.runs import (
    check_name,
    check_request,
    clear,
    diverged,
    finished,
    keep_request,
    other_data,
    resumed,
    run_of,
    spend,
)
from regrow.training.settings import Staged
from regrow.training.stages import open_or_make, stages_of
from regrow.training.training_data import Data

Result = TypeVar("Result")


@dataclass(frozen=True)
class Training:
    """The state of a training.

    Attributes:
        stage: "read", "encode", "codec" or "denoiser".
        progress: of reading and encoding.
        fit: state of the other stages.
        batch: pictures per step.
        samples: a grid of samples that was just written.
        notes: sentences for the user.
    """

    stage: str
    progress: Progress | None = None
    fit: FitState | None = None
    batch: int = 0
    samples: Path | None = None
    notes: tuple[str, ...] = ()


def train(request: Train, stop: Callable[[], bool] = lambda: False) -> Generator[Training, None, Path | None]:
    """Train and write a model folder; if it is killed, the same request continues.

    Args:
        request: see `Train`.
        stop: called after every step, and every item that is read or encoded; if it returns True, a checkpoint is
            written and the run ends.

    Returns:
        The model's folder, at once if the run to resume is over; None if the run was stopped before its end.

    Raises:
        ValueError: a model of this name exists, a run of this name had other settings, or the training diverged; then
            its last good checkpoint is kept.
        MediaError: there is nothing to train on.
        ModelError: the model to continue cannot be opened.
    """
    if over := finished(request):
        spend(request.resume)  # in case it was killed after publishing its model
        return over
    request = resumed(request)
    check_name(request)
    check_home()
    folder, run = home() / "models" / request.name, run_of(request.name)
    accelerator = make_accelerator(request.precision)
    first = accelerator.is_main_process
    with ExitStack() as held:
        if first:
            held.enter_context(only_one(run))
            check_request(request)
            clear(request)
        with accelerator.main_process_first():  # the others read the files that it wrote
            opened = yield from _watched("read", open_or_make(request, run / "start"), stop)
        if first:
            keep_request(request)
        if opened is None:
            return None
        model, data = opened
        notes = (*data.notes, *other_data(request.name, data.content)) if first else ()
        if notes:
            yield Training("read", notes=notes)
        facts: dict[str, Any] = {}
        for stage in stages_of(request):
            with accelerator.main_process_first():
                staged = yield from _watched("encode", stage.prepare(request, model, data, accelerator), stop)
            if staged is None:
                return None
            looks = _Looks(staged, run / "samples", request.between_grids)
            run_log = RunLog(run / stage.name, first)
            module, loss_at, settings = staged.module, staged.loss_at, staged.settings
            walk = fit(module, loss_at, settings, run / stage.name, accelerator, staged.plain, looks, stop)
            done = False
            while not done:
                try:
                    state = next(walk)
                except StopIteration as end:
                    done = end.value
                    break
                except DivergedError as problem:
                    run_log.close()
                    raise ValueError(diverged(stage.name, problem.step, staged.settings.rate, run)) from problem
                run_log.write(state, staged.batch)
                yield Training(stage.name, fit=state, batch=staged.batch, samples=looks.take())
            run_log.close()
            if not done:
                return None
            if stage.name == "codec" and not request.start:
                scale_latents(model, data)
            if staged.draw and first:
                staged.draw(run / "samples" / "final.png")
            facts[stage.name] = facts_of(staged, run / stage.name, accelerator.num_processes)
        if first:
            _publish(request, model, folder, run, facts, data)
            spend(request.name)
        accelerator.wait_for_everyone()
    return folder


class _Looks:
    """Regular checks of the averaged weights: the held-out loss, and a sample grid when it is due."""

    def __init__(self, staged: Staged, folder: Path, minutes: float) -> None:
        self.staged, self.folder, self.minutes = staged, folder, minutes
        self.drawn = time.monotonic()
        self.new: Path | None = None

    def __call__(self, module: nn.Module) -> float | None:
        loss = self.staged.examine(module) if self.staged.examine else None
        if self.staged.draw and self.minutes and time.monotonic() - self.drawn > 60 * self.minutes:
            stamp = time.strftime("%Y%m%d-%H%M%S")
            self.drawn = time.monotonic()
            with suppress(MediaError, OSError):  # a full disk must not end the training for lack of a grid
                self.staged.draw(self.folder / f"{stamp}.png")
                self.new = self.folder / f"{stamp}.png"
        return loss

    def take(self) -> Path | None:
        """Return the grid that was drawn since the last call; None if there is none."""
        new, self.new = self.new, None
        return new


def _watched(
    stage: str, work: Generator[Progress, None, Result], stop: Callable[[], bool]
) -> Generator[Training, None, Result | None]:
    """Return the result of work before a training, yielding its progress; None if it was stopped."""
    while True:
        if stop():
            work.close()
            return None
        try:
            yield Training(stage, progress=next(work))
        except StopIteration as end:
            return end.value


def _publish(request: Train, model: Model, folder: Path, run: Path, facts: dict[str, Any], data: Data) -> None:
    """Write the model's folder under a temporary name, and rename it when all of it is on the disk.

    Raises:
        MediaError: it cannot be written; nothing is left of it, and the run can be finished later.
    """
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write_model(request, model, aside, run, facts, data)
        sync_folder(aside)
        aside.rename(folder)
        sync_folder(folder.parent, deep=False)
    except (OSError, SafetensorError) as problem:
        shutil.rmtree(aside, ignore_errors=True)
        raise MediaError(say("model_not_written", folder=folder, reason=reason(problem))) from problem


def _write_model(request: Train, model: Model, aside: Path, run: Path, facts: dict[str, Any], data: Data) -> None:
    lora = run / "lora"
    if request.lora:
        save_and_merge_lora(model.network, lora)
    save_model(model, aside)
    if not request.start:  # the describer of a codec that was taken unchanged
        copy_describer(model.folder, aside)
    if "denoiser" in facts and not model.reads_scores:  # models of scores read phones, not words
        learn_words(aside, data.words, data.characters)
    if model.reads_scores and request.data:  # the first voice is now that of the folder
        write_singers(aside, [request.name, *model.singers[1:]])
    if lora.is_dir():
        shutil.copytree(lora, aside / "lora")
    if (run / "samples").is_dir():
        newest = sorted((run / "samples").glob("*.png"))[-1:]
        for path in newest:
            (aside / "samples").mkdir()
            shutil.copy(path, aside / "samples")
    base, codec = (Path(name).name if Path(name).is_dir() else name for name in (request.start, request.codec or ""))
    source = request.data.name if request.data else None
    about = {
        "regrow": __version__,
        "base_model": base or None,
        "data": ", ".join(name for name in (source, request.world) if name),
        "notes": data.notes,
        "stages": facts,
        # only the last name of the user's folders, as this file is published with the model
        "request": asdict(request) | {"data": source, "start": base, "codec": codec or None},
    }
    (aside / "training.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
