"""The command line: one verb an operation, made from the operations' dataclasses.

Everything heavy is imported inside the verbs, so that `regrow --help` answers at once.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional, subcommand

from regrow.operations.requests import Edit, Generate, Invert
from regrow.operations.training_request import Train


@dataclass(frozen=True)
class Run:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: of the CPU; 0 leaves torch's choice. Beside another busy process take 1.
        device: where the model runs: cpu, cuda, mps.
        dtype: of the model's weights.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """

    json: bool = False
    threads: int = 0
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    allow_pickle: bool = False


Options = Annotated[Run, tyro.conf.arg(name="")]


def generate(request: Annotated[Generate, tyro.conf.arg(name="")], run: Options, out: Path | None = None) -> None:
    """Make pictures from words.

    Args:
        out: the file to write (png, jpg or webp); named after the words if not given. Never overwritten: a
            second picture of that name gets a number.
    """
    from regrow.interfaces import verbs

    verbs.generate(request, run, out)


def edit(
    request: Annotated[Edit, tyro.conf.arg(name="")],
    run: Options,
    out: Path | None = None,
    sheet: Path | None = None,
    explore: bool = False,
    strengths: tuple[float, ...] = (0.5, 0.65, 0.8, 0.95),
    guidances: tuple[float, ...] = (2.0, 4.0, 7.0),
) -> None:
    """Change what the words change in a picture, and keep the rest.

    Args:
        out: the file to write (png, jpg or webp); named after picture and words if not given.
        sheet: also write a comparison sheet here: source, codec, reconstruction, edit, img2img, with distances.
        explore: write a sheet of strengths x guidances from one inversion instead of an edit, and the command for
            each of its cells.
        strengths: of that sheet, a row each.
        guidances: of that sheet, a column each.
    """
    from regrow.interfaces import verbs

    if explore:
        verbs.explore(request, run, out or sheet, strengths, guidances)
    else:
        verbs.edit(request, run, out, sheet)


def invert(request: Annotated[Invert, tyro.conf.arg(name="")], run: Options, out: Path | None = None) -> None:
    """Rewind a picture to noise, measure how well that worked, and save the path.

    Args:
        out: the .safetensors file to write, for `regrow edit --trajectory`; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.invert(request, run, out)


def replay(file: Positional[Path], run: Options, out: Path | None = None) -> None:
    """Make a result again from the recipe in its file, and say whether it is the same bit for bit.

    Args:
        file: a picture that regrow saved.
        out: the file to write; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.replay(file, run, out)


def train(request: Annotated[Train, tyro.conf.arg(name="")], run: Options) -> None:
    """Train a model on a folder of pictures or on a drawn world. Killed at any moment, the same command goes on."""
    from regrow.interfaces import train_verb

    train_verb.train(request, run)


def verify(run: Options, model: Positional[str] = "") -> None:
    """Prove the maths: every formula against a closed form. With a model, check that checkpoint too.

    Args:
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
    """
    from regrow.interfaces import verbs

    verbs.verify(model, run)


Name = Annotated[str, tyro.conf.arg(metavar="NAME")]


def models_list(json: bool = False) -> None:
    """List the models that can be opened by name.

    Args:
        json: print one JSON document instead of sentences.
    """
    from regrow.interfaces import models_verbs

    models_verbs.list_all(json)


def models_show(name: Positional[Name], json: bool = False, allow_pickle: bool = False) -> None:
    """Show one: its size, parts, noise levels, licence, hash, and what it was trained on.

    Args:
        name: of a model, a folder, or a hub id `user/repo`.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    from regrow.interfaces import models_verbs

    models_verbs.show(name, json, allow_pickle)


def models_remove(name: Positional[Name], yes: bool = False, json: bool = False) -> None:
    """Remove one of your own. Without --yes it only says what would go.

    Args:
        name: of a model in your model folder.
        yes: do it.
        json: print one JSON document instead of sentences.
    """
    from regrow.interfaces import models_verbs

    models_verbs.remove(name, yes, json)


def models_push(
    name: Positional[Name],
    repo: Positional[Annotated[str, tyro.conf.arg(metavar="USER/REPO")]],
    to: Path | None = None,
    private: bool = False,
    json: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Publish one with a model card on the Hugging Face hub, or write what would be published to a folder.

    Args:
        name: of a model, or a folder.
        repo: the hub repository `user/repo`; made if it is not there.
        to: a new or empty folder to write instead; nothing goes over the network.
        private: make a repository that only you can see.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    from regrow.interfaces import models_verbs

    models_verbs.push(name, repo, to, private, json, allow_pickle)


def models_pull(
    source: Positional[Annotated[str, tyro.conf.arg(metavar="USER/REPO|FOLDER")]],
    name: Name = "",
    json: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Get one from the Hugging Face hub, or copy it from a folder. Broken off, the same command gets the rest.

    Args:
        source: a hub repository `user/repo`, or a folder.
        name: what to call it here; the last part of the source's own name if not given.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    from regrow.interfaces import models_verbs

    models_verbs.pull(source, name, json, allow_pickle)


Action = (
    Annotated[Any, subcommand(name="list", constructor=models_list, is_default=True)]
    | Annotated[Any, subcommand(name="show", constructor=models_show)]
    | Annotated[Any, subcommand(name="remove", constructor=models_remove)]
    | Annotated[Any, subcommand(name="push", constructor=models_push)]
    | Annotated[Any, subcommand(name="pull", constructor=models_pull)]
)


def models(action: Annotated[Action, tyro.conf.arg(name="")]) -> None:
    """List the models that are here, show, remove, publish or get one."""


def inspect(
    file: Positional[Path], run: Options, model: str = "", source: str = "", steps: int = 28, out: Path | None = None
) -> None:
    """Show what a picture or a saved path says about itself: size, notes, recipe.

    Args:
        file: a picture, or a .safetensors file of `regrow invert`.
        model: also draw a page with what this model's codec loses and the path to noise.
        source: words that describe the picture, for that path.
        steps: of that path.
        out: the page's PNG file; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.inspect(file, run, model, source, steps, out)


def bench_storybook(
    run: Options,
    model: str = "storybook",
    scenes: int = 500,
    sheet: Path | None = None,
) -> None:
    """Measure a picture model on held-out scenes of the storybook: codec, and what an independent judge sees.

    Args:
        model: name of an embedded or installed model, or a folder.
        scenes: how many, with seeds from 9,000,000 on.
        sheet: also write 64 generated pictures beside the drawn ones here.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.storybook(model, scenes, sheet, run)


def bench_bandstand(
    run: Options,
    model: str = "bandstand",
    phrases: int = 300,
    sheet: Path | None = None,
) -> None:
    """Measure a sound model on held-out phrases of the bandstand: codec and phase, and what an independent judge hears.

    Args:
        model: name of an embedded or installed model, or a folder.
        phrases: how many, with seeds from 9,000,000 on.
        sheet: also write the mels of 16 generated clips beside the played ones here.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.bandstand(model, phrases, sheet, run)


def bench_mel(run: Options, clips: int = 14, folder: Path | None = None) -> None:
    """Measure ways from a mel back to a wave: regrow's, its parts, librosa's and diffusers' (both need librosa).

    Args:
        clips: how many, of six seconds.
        folder: take them from the sounds in this folder; played phrases if not given.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.mel(clips, folder, run)


@dataclass(frozen=True)
class BenchSound:
    """Measure edits of sounds, another instrument for a phrase, against the phrase played on it.

    Attributes:
        model: name of an embedded or installed model, or a folder; it must know the bandstand.
        phrases: how many to measure, with seeds from 9,400,000 on.
        tuning: how many others the settings of each way are chosen on.
        settings: how many of each way's nine settings are tried.
        only: names of the ways to measure; all that work on sounds if not given.
        figures: also write the JSON here.
    """

    model: str = "bandstand"
    phrases: int = 200
    tuning: int = 40
    settings: int = 9
    only: tuple[str, ...] = ()
    figures: Path | None = None


def bench_sound(asked: Annotated[BenchSound, tyro.conf.arg(name="")], run: Options) -> None:
    """Measure edits of sounds against what they should be: regrow's methods, the course's and diffusers' pair."""
    from regrow.interfaces import bench_verbs

    bench_verbs.sound(asked, run)


@dataclass(frozen=True)
class BenchEdit:
    """Measure ways to edit against counterfactuals whose answer is known: regrow's, the course's and diffusers'.

    Attributes:
        model: name of an embedded or installed model, or a folder; it must know the storybook.
        wishes: how many scenes to measure a wish on each, six kinds in turn.
        tuning: how many other scenes the settings of each way are chosen on; 0 takes the first setting of each.
        settings: how many of each way's nine settings are tried.
        only: names of the ways to measure; all but negative_prompt and null_text if not given.
        round_trips: on how many of the first scenes the way back to the scene itself is measured.
        kept: a file that outcomes are added to as they come, so that the same command goes on when it was killed.
        figures: also write the JSON here.
        curves: also draw the trade-off of every setting here.
        sheet: also write the first wishes as pictures here.
        shown: how many.
    """

    model: str = "storybook"
    wishes: int = 400
    tuning: int = 100
    settings: int = 9
    only: tuple[str, ...] = ()
    round_trips: int = 50
    kept: Path | None = None
    figures: Path | None = None
    curves: Path | None = None
    sheet: Path | None = None
    shown: int = 12

    def __post_init__(self) -> None:
        if self.wishes < 1 or self.tuning < 0:
            raise ValueError(f"--wishes must be 1 or more and --tuning 0 or more; got {self.wishes} and {self.tuning}.")
        if not 1 <= self.settings <= 9:
            raise ValueError(f"--settings must be from 1 to 9; got {self.settings}.")
        if self.curves and not self.tuning:
            raise ValueError("--curves draws what the tuning found, so --tuning must be 1 or more.")


def bench_edit(asked: Annotated[BenchEdit, tyro.conf.arg(name="")], run: Options) -> None:
    """Measure ways to edit against counterfactuals whose answer is known: regrow's, the course's and diffusers'."""
    from regrow.interfaces import bench_verbs

    bench_verbs.edit(asked, run)


def bench_train(run: Options, model: str = "storybook", batch: int = 32, steps: int = 12) -> None:
    """Measure training: samples a second and peak memory against a plain loop, one after the other.

    Args:
        model: the model to go on from.
        batch: pictures a step.
        steps: that are measured, after two that warm up.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.train(model, batch, steps, run)


Bench = (
    Annotated[Any, subcommand(name="storybook", constructor=bench_storybook)]
    | Annotated[Any, subcommand(name="bandstand", constructor=bench_bandstand)]
    | Annotated[Any, subcommand(name="edit", constructor=bench_edit)]
    | Annotated[Any, subcommand(name="mel", constructor=bench_mel)]
    | Annotated[Any, subcommand(name="sound", constructor=bench_sound)]
    | Annotated[Any, subcommand(name="train", constructor=bench_train)]
)


def bench(what: Annotated[Bench, tyro.conf.arg(name="")]) -> None:
    """Measure a model, ways to edit against the truth, or the trainer against a plain loop."""


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    share: bool = False,
    browser: bool = True,
) -> None:
    """Open the page: edit, generate, train and look inside in a browser on this computer.

    Args:
        host: the address to listen on; any other than this computer's own needs a password in $REGROW_PASSWORD.
        port: 0 takes the first free one from 7860 on.
        share: let others reach it at a public address of gradio's; needs a password in $REGROW_PASSWORD.
        browser: show it in the browser at once.
    """
    import os

    from regrow.interfaces.web.app import serve as serve_page

    serve_page(host, port, share, os.environ.get("REGROW_PASSWORD", ""), browser)


VERBS = {
    "generate": generate,
    "edit": edit,
    "invert": invert,
    "replay": replay,
    "train": train,
    "verify": verify,
    "bench": bench,
    "models": models,
    "inspect": inspect,
    "serve": serve,
}


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. Exit status: 0 done, 1 a clear sentence on stderr, 2 a wrong option, 130 stopped by Ctrl-C."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            VERBS,
            args=arguments,
            prog="regrow",
            description="Rewind a picture to noise along a diffusion model's own path, and let it grow back.",
            config=(OmitArgPrefixes,),
        )
    except KeyboardInterrupt:
        print("regrow: stopped; nothing was left half-written.", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
