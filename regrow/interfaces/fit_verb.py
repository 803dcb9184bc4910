"""Print for `regrow models fit` what a checkpoint needs on this machine, in sentences or JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from regrow.benchmark.peak import matrix_peak
from regrow.benchmark.step import Step, measure_step
from regrow.hub.download import size_text
from regrow.hub.fit import CARDS, PRECISIONS, Fit, fit
from regrow.hub.fit_settings import Place, places_here, settings_of
from regrow.hub.known import ROLES
from regrow.interfaces.reporting import opened, print_json
from regrow.models.memory.free import WORKING

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening

GIGABYTE = 10**9
ROLE_NAMES = {"network": "network", "words": "text encoders", "codec": "codec"}


def print_fit(name: str, run: "Opening", measure: bool) -> None:
    """Print what a model needs on this machine.

    Args:
        name: of the model.
        run: how to open it, if a step is measured.
        measure: whether to measure a step.

    Raises:
        ValueError: there is no model of this name, here or in the table of known checkpoints; or it is not on this
            machine although a step is to be measured.
    """
    found = fit(name, matrix_peak)
    if measure and found.folder is None:
        raise ValueError(f"{name} is not here, so no step can be measured: leave --measure out, or get it first.")
    measured = measure_step(lambda: opened(name, run)) if measure else None
    if run.json:
        print_json(fit_facts(found) | ({"measured": asdict(measured)} if measured else {}))
        return
    for label, text in [*fit_lines(found), *([("measured", _measured_text(measured))] if measured else [])]:
        print(f"{label:12}{text}")


def _measured_text(step: Step) -> str:
    memory = "unknown" if step.memory is None else size_text(step.memory)
    card = f", {size_text(step.on_device)} of them on {step.device}" if step.on_device else ""
    return (
        f"opened in {_duration(step.opening)}; a call for one sample of {' x '.join(map(str, step.extent))} takes "
        f"{_duration(step.seconds)} by {step.computed_by}; peak memory: {memory}{card}"
    )


def _places(found: Fit) -> list[tuple[str, int | None, str]]:
    """Return places where a model may run: name, memory in bytes, and the precision used there."""
    cards = [(f"{size} GB card", size * GIGABYTE, "bfloat16") for size in CARDS]
    return [("this machine", found.memory, "float32"), *cards]


def _all_places() -> list[Place]:
    return [*places_here(), *(Place(f"{size} GB card", size * GIGABYTE, False) for size in CARDS)]


def fit_facts(found: Fit) -> dict[str, Any]:
    """Return the known facts about a model on this machine, JSON-able."""
    known, time = found.known, found.time
    return {
        "name": found.name,
        "hub": known.hub if known else None,
        "folder": str(found.folder) if found.folder else None,
        "family": found.family,
        "licence": found.licence,
        "gated": known.gated if known else False,
        "layout": known.layout if known else "diffusers",
        "command": known.command if known else None,
        "parts": [
            {"name": part.name, "role": part.role, "parameters": part.parameters, "from": part.origin}
            for part in found.parts
        ],
        "download": found.download,
        "disk": found.disk,
        "free": found.free,
        "weights": {
            p: {role: found.weights(p, role) for role in ROLES} | {"all": found.weights(p)} for p in PRECISIONS
        },
        "working_factor": WORKING,
        "machine_memory": found.memory,
        "fits": {place: found.fits(size, p) if size else "unknown" for place, size, p in _places(found)},
        "settings": [
            {"place": s.place.name, "weights": s.stored, "parts": s.how, "needs": s.needs, "fits": s.fits}
            for place in _all_places()
            for s in settings_of(found, place)
        ],
        "call": time
        and {
            "flops": time.flops,
            "for": time.clip,
            "peak": time.peak,
            "share": time.share,
            "seconds": time.seconds,
            "steps": time.steps,
            "calls": time.calls,
        },
        "note": known.note if known else "",
    }


def fit_lines(found: Fit) -> list[tuple[str, str]]:
    """Return the same in words: label and text of each line."""
    known = found.known
    lines = [("name", found.name), ("family", found.family)]
    if known:
        gated = "; the hub asks for a log-in and a consent first" if known.gated else ""
        lines += [("hub", f"{known.hub}{gated}")]
    else:
        lines += [("folder", str(found.folder))]
    lines += [("licence", found.licence), ("download", _download_text(found)), ("disk", _disk_text(found))]
    lines += [("weights" if i == 0 else "", text) for i, text in enumerate(_weights_text(found))]
    lines += [("fits" if i == 0 else "", text) for i, text in enumerate(_fits_text(found))]
    lines += [("settings" if i == 0 else "", text) for i, text in enumerate(_settings_text(found))]
    lines += [("a call", _time_text(found))]
    if known:
        if known.note:
            lines += [("note", known.note.replace("{hub}", known.hub))]
        lines += [("get it", known.command)]
    return lines


def _size(size: int | None) -> str:
    return "unknown" if size is None else size_text(size)


def _download_text(found: Fit) -> str:
    if not found.known:
        return "nothing: it is here"
    if found.download is not None:
        return f"about {size_text(found.download)}"
    sizes = [found.weights(precision) for precision in PRECISIONS]
    if None in sizes:
        return "unknown: not every part could be counted"
    each = [f"{_size(size)} if in {precision}" for size, precision in zip(sizes, PRECISIONS, strict=True)]
    return f"about {' or '.join(each)}; how its files are stored is unknown"


def _disk_text(found: Fit) -> str:
    free = f"{size_text(found.free)} are free"
    if not found.known:
        return f"{_size(found.disk)} here; {free}"
    if found.disk is None:
        return free
    return f"as much; {free}{'' if found.disk < found.free else ', which is too little'}"


def _weights_text(found: Fit) -> list[str]:
    texts = []
    for precision in PRECISIONS:
        sizes = {role: found.weights(precision, role) for role in ROLES}
        each = ", ".join(f"{ROLE_NAMES[role]} {_size(size)}" for role, size in sizes.items() if size != 0)
        texts.append(f"{precision}: {_size(found.weights(precision))} ({each})")
    unsure = sorted({f"{part.name}: {part.origin}" for part in found.parts if part.parameters is None})
    return [*texts, *([f"not counted: {'; '.join(unsure)}"] if unsure else [])]


def _fits_text(found: Fit) -> list[str]:
    said = {"yes": "yes", "no": "no", "unknown": "unknown", "network only": "the network alone, not all parts at once"}
    texts = []
    for place, size, precision in _places(found):
        named = f"{place} ({_size(size)})" if place == "this machine" else place
        texts.append(f"{named} in {precision}: {said[found.fits(size, precision)] if size else 'unknown'}")
    return [*texts, f"assumed memory at work: {WORKING:g} times the weights"]


def _settings_text(found: Fit) -> list[str]:
    """Return a line per place that lists the precisions and offloads that fit there."""
    if not settings_of(found, _all_places()[0]):
        return ["unknown: not every part could be counted"]
    texts = []
    for place in _all_places():
        each = [f"{s.stored} {s.how} {size_text(s.needs)}" for s in settings_of(found, place) if s.fits]
        free = f", {size_text(place.free)} free now" if "card" not in place.name else ""
        texts.append(f"{place.name}{free}: {' | '.join(each) or 'nothing that regrow has'}")
    legend = "--dtype (4 bits: a GGUF file of the network), which parts are there at a time (parts, layers: --offload)"
    return [*texts, f"{legend}, memory at work"]


def _time_text(found: Fit) -> str:
    time = found.time
    if time is None:
        return f"unknown; {'once it is here, ' if found.known else ''}`regrow bench speed` measures it"
    twice = " of two calls" if time.calls > time.steps else ""
    return (
        f"about {_duration(time.seconds)} for {time.clip}, {_duration(time.seconds * time.calls)} for {time.steps} "
        f"steps{twice}; an estimate: {time.flops / 1e9:,.0f} Gflop at {time.share:.0%} of the {time.peak / 1e9:,.0f} "
        "Gflop/s that a matrix product in float32 reaches here now"
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
