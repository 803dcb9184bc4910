"""Sounds as a medium: files of any rate, channels and duration, of which a span may change."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio import graph, sound
from regrow.media.audio.crossfade import pasted
from regrow.media.audio.fitting import SoundFrame, closed, filled, grown_in, in_channels_of, in_layout_of, span_of
from regrow.media.audio.level import level_for
from regrow.media.audio.page import sound_page
from regrow.media.audio.sound import resample, to_channels, to_mono
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import MediaError, file_hash
from regrow.media.frame import Distance, Extent, Frame, Frames, Latents, Layout, Page, Pair, Picture, Region, Restored
from regrow.media.medium import Medium, MediumModel, Recipe, medium_at
from regrow.messages.message import say

Wave = Float[Tensor, "channels n"]
ROUNDED = 0.05
"""Seconds by which a span may end behind a sound without a word: who drags to the end rounds."""


class SoundMedium(Medium):
    """Waves `channels n` at a rate, 1 is full scale; frames are what the model's `SoundCodec` makes of them."""

    name = "sound"
    kind = SOUNDS
    ending = SOUNDS.ending
    embedded = "bandstand"
    sized = False
    layout = Layout(384, 3, say("distances_to_source_mel"))

    def check(self, request: Any, model: MediumModel) -> None:
        if getattr(request, "mask", None) is not None or getattr(request, "region", None) is not None:
            raise ValueError(say("region_only_for_pictures"))
        changes_file = hasattr(request, "image")
        # crop was the default of older recipes
        if changes_file and (request.size is not None or request.frame not in (type(request).frame, "crop")):
            raise ValueError(say("size_only_for_picture_edits"))
        if getattr(request, "tiles", False):
            raise ValueError(say("tiles_only_for_pictures"))
        _ = model.sound
        if getattr(request, "size", None):
            instead = say("give_duration_instead")
            of_files = hasattr(request, "first") and medium_at(request.first)
            raise ValueError(
                say(
                    "model_makes_sounds",
                    name=model.name,
                    advice=say("size_only_for_picture_files") if of_files else instead,
                )
            )
        if getattr(request, "describer", ""):
            raise ValueError(say("captioner_needs_picture", describer=request.describer, file=request.image))

    def load(self, path: Path, model: MediumModel, request: Any) -> SoundFrame:
        codec, loaded = model.sound, sound.load(path)
        plain = getattr(request, "normalize", "on") == "off"
        notes = list(loaded.notes)
        if plain:
            loaded = replace(loaded, wave=loaded.wave / loaded.wave.abs().max().clamp_min(1))
        wave = to_channels(loaded.wave, codec.channels, plain)
        if len(loaded.wave) > codec.channels:
            mixed = torch.equal(wave[:1], loaded.wave.mean(0, keepdim=True))
            cancel = say("channels_cancel", count=len(loaded.wave), name=path.name)
            mix = say("channels_mixed", count=len(loaded.wave), name=path.name)
            notes.append(mix if mixed else cancel)
        wave = resample(wave, loaded.rate, codec.rate)
        if loaded.rate != codec.rate:
            notes.append(say("sound_resampled", name=path.name, rate=loaded.rate, model_rate=codec.rate))
        if codec.lens.high < min(loaded.rate, codec.rate) / 2:
            notes.append(say("high_left_out", name=model.name, high=codec.lens.high, file=path.name))
        usual = 1.0 if plain else level_for(wave, codec.rate, codec.levels)
        level = codec.level_of(wave, usual)
        if level == usual != 1:
            by = f"{abs(20 * math.log10(usual)):.1f}"
            up = say("sound_made_louder", name=path.name, model=model.name, by=by)
            down = say("sound_made_quieter", name=path.name, model=model.name, by=by)
            notes.append(up if usual < 1 else down)
        frames = codec.to_frames(wave[None], level)[0]
        if codec.is_silent(frames):
            raise MediaError(say("sound_is_silent", path=path))
        content = filled(frames, -frames.shape[-1] % model.multiple, codec)
        return SoundFrame(content, tuple(notes), loaded, wave, codec, level, plain)

    def region(
        self, request: Any, frame: Frame, model: MediumModel, latents: Latents, mask: Tensor | None = None
    ) -> Region | None:
        assert isinstance(frame, SoundFrame)
        if not request.spans:
            return None
        duration = frame.sound.wave.shape[-1] / frame.sound.rate
        cell = frame.codec.samples_per_frame * model.factor / frame.codec.rate
        mask = torch.zeros(1, 1, *latents.shape[2:])
        for begin, end in request.spans:
            if begin >= duration:
                raise ValueError(say("span_behind_end", begin=begin, file=request.image, duration=duration))
            mask[..., int(begin / cell) : math.ceil(end / cell)] = 1
        last = max(end for _, end in request.spans)
        behind = say("span_ends_behind", end=last, file=request.image.name, duration=duration)
        return Region(latents=mask, notes=(behind,) if last > duration + ROUNDED else ())

    def restore(
        self, frame: Frame, decoded: Frames, model: MediumModel, request: Any, region: Region | None
    ) -> Restored:
        assert isinstance(frame, SoundFrame)
        codec, old, rate = frame.codec, frame.sound.wave, frame.sound.rate
        if region is None:
            waves = frame.at_full_scale(codec.to_waves(decoded, frame.wave.shape[-1], frame.level))
            whole = (resample(in_layout_of(wave, frame), codec.rate, rate)[:, : old.shape[-1]] for wave in waves)
        else:
            waves = grown_in(decoded, frame, [span_of(one, codec.rate, frame.wave.shape[-1]) for one in request.spans])
            inside = [span_of(one, rate, old.shape[-1]) for one in request.spans]
            grown = (resample(in_channels_of(wave, old), codec.rate, rate) for wave in waves)
            unit = frame.unit
            whole = (
                reduce(lambda kept, one, new=wave: pasted(new, kept, one, rate, level=unit), inside, old)
                for wave in grown
            )
        return Restored(tuple(whole), decoded, rate)

    def extent(self, request: Any, model: MediumModel, like: Frame | None = None) -> Extent:
        assert like is None or isinstance(like, SoundFrame)
        codec, loop = model.sound, getattr(request, "loop", False)
        samples, cell = model.usual_length * codec.samples_per_frame, model.multiple * codec.samples_per_frame
        if request.duration is not None:
            samples = round(request.duration * codec.rate)
        if loop:  # of whole latents, or silence would fill the last of them
            samples = max(1, round(samples / cell)) * cell
        if like:
            samples = like.wave.shape[-1]
        shape = model.latent_shape(*codec.frame_size(-(-samples // cell) * model.multiple))
        return Extent(shape, samples, samples / codec.rate, loop)

    def like_first(self, request: Any, first: Frame) -> Any:
        return request

    def pair(self, first: Frame, second: Frame, shares: Sequence[float]) -> Pair:
        assert isinstance(first, SoundFrame)
        assert isinstance(second, SoundFrame)
        longest = max(first.content.shape[-1], second.content.shape[-1])
        both = [filled(one.content, longest - one.content.shape[-1], one.codec) for one in (first, second)]
        notes = (*first.notes, *second.notes)
        if first.content.shape != second.content.shape:
            notes += (say("shorter_sound_padded"),)
        samples = max(first.wave.shape[-1], second.wave.shape[-1])
        levels = tuple(first.level ** (1 - share) * second.level**share for share in shares)  # in equal steps of dB
        return Pair(torch.stack(both), Extent((), samples, levels=levels, clipped=first.plain), notes)

    def render(self, latents: Latents, decoded: Frames, model: MediumModel, extent: Extent) -> tuple[Wave, ...]:
        if extent.loop:
            return tuple(closed(latents, model))
        if extent.levels:
            each = zip(decoded, extent.levels, strict=True)
            waves = (model.sound.to_waves(frames[None], extent.samples, level)[0] for frames, level in each)
            return tuple(wave.clamp(-1, 1) if extent.clipped else wave for wave in waves)
        return tuple(model.sound.to_waves(decoded, extent.samples))

    def rate(self, model: MediumModel) -> int:
        return model.sound.rate

    def save(self, path: Path, item: Wave, recipe: Recipe | None = None, rate: int | None = None) -> tuple[str, ...]:
        assert rate, "a wave is saved with its rate"
        return sound.save(path, item, rate, recipe)

    def check_savable(self, path: Path) -> None:
        sound.check_savable(path)

    def replayed_ending(self, path: Path) -> str:
        return path.suffix if path.suffix.lower() in sound.SAVED else self.ending

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        return sound.read_recipe(path)

    def result_hash(self, item: Wave) -> str:
        return sound.wave_hash(item)

    def distance(self, a: Tensor, b: Tensor, model: MediumModel) -> Distance:
        return {"mel": model.sound.distance(a[None], b[None])}

    def distance_text(self, distance: Distance) -> str:
        return f"{distance['mel']} dB of mel"

    def distance_caption(self, distance: Distance) -> str:
        return self.distance_text(distance)

    def distance_short(self, distance: Distance) -> str:
        return self.distance_text(distance)

    def codec_psnr(self, decoded: Frames, content: Frames) -> None:
        return None

    def pictures(self, frames: Frames, model: MediumModel) -> Float[Tensor, "b 3 h w"]:
        return model.sound.pictures(frames)

    def preview(self, item: Wave, rate: int | None, model: MediumModel) -> Picture:
        assert rate, "a wave is looked at with its rate"
        codec, mono = model.sound, to_mono(item)
        frames = codec.to_frames(resample(to_channels(mono, codec.channels), rate, codec.rate)[None])
        below = F.interpolate(codec.pictures(frames), size=graph.SIZE, mode="area")[0]
        return torch.cat([graph.waveform(mono[0]), below], -2)

    def original(self, frame: Frame) -> tuple[Wave, int]:
        assert isinstance(frame, SoundFrame)
        return frame.sound.wave, frame.sound.rate

    def facts(self, path: Path) -> dict[str, Any]:
        loaded = sound.load(path)
        peak, power = float(loaded.wave.abs().max()), float(loaded.wave.square().mean())
        return {
            "file": str(path), "kind": self.name, "rate": loaded.rate, "channels": len(loaded.wave),
            "samples": loaded.wave.shape[-1], "seconds": round(loaded.wave.shape[-1] / loaded.rate, 3),
            "peak_db": _decibels(peak), "rms_db": _decibels(math.sqrt(power)), "hash": file_hash(path),
            "notes": list(loaded.notes), "recipe": sound.read_recipe(path),
        }  # fmt: skip

    def page(self, path: Path, model: MediumModel | None) -> Page:
        return sound_page(path, self.facts(path), model)


MEDIUM = SoundMedium()


def _decibels(value: float) -> float | None:
    return round(20 * math.log10(value), 1) if value > 0 else None
