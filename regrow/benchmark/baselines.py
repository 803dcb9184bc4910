"""Baselines, run on the same checkpoint: the Hugging Face diffusion course's procedure and diffusers' pipelines."""

from typing import Any

import torch
from diffusers.pipelines.deprecated.stable_diffusion_diffedit.pipeline_stable_diffusion_diffedit import (
    StableDiffusionDiffEditPipeline,
)
from diffusers.pipelines.deprecated.stable_diffusion_variants.pipeline_cycle_diffusion import CycleDiffusionPipeline
from diffusers.pipelines.ledits_pp.pipeline_leditspp_stable_diffusion import LEditsPPPipelineStableDiffusion
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddim_inverse import DDIMInverseScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.adapters import as_four_channels, as_noise_predictor, made, pipeline, scheduler_config
from regrow.benchmark.editors import Editor, Run, Setting, Task, ordered, with_full_words
from regrow.models.model import Model

STEPS = 50
"""Sampling steps of the Hugging Face diffusion course, and the default of most of diffusers' pipelines."""

Pictures = Float[Tensor, "b channels h w"]


def baselines() -> tuple[Editor, ...]:
    """Return all baselines, each with the settings that it is tuned over; its own defaults are among them.

    The first three also run with the prompts as regrow expands them, which separates the effect of prompt expansion
    from that of the method.
    """
    far = (0.8, 0.95, 0.6)

    def editor(name: str, about: str, run: Run, settings: tuple[Setting, ...], batch: int = 8) -> Editor:
        return Editor(name, about, run, settings, batch, baseline=True)

    course = "the diffusion course's notebook: 50 steps, guidance 3.5 both ways, start_step 10, off-by-ones kept"
    pair = "diffusers' DDIMInverseScheduler and DDIMScheduler, 50 steps, inverted without guidance"
    img2img = "StableDiffusionImg2ImgPipeline, 50 steps times its strength"
    ledits = "LEditsPPPipelineStableDiffusion, 30 steps, skip = 1 - strength"
    diffedit = "StableDiffusionDiffEditPipeline with the mask that it finds, 50 steps"
    cycle = "CycleDiffusionPipeline, 50 steps, eta 0.1, source guidance 1"
    own_words = (
        editor("course", course, _course, ordered(far, (3.5, 7, 2))),
        editor("ddim pair", pair, _ddim_pair, ordered(far, (4, 7.5, 2))),
        editor("diffusers img2img", img2img, _img2img, ordered((0.8, 0.65, 0.5), (7.5, 4, 2.5))),
        editor("ledits++", ledits, _ledits, ordered((0.85, 0.95, 0.7), (5, 10, 2.5)), batch=1),
        editor("diffedit", diffedit, _diffedit, ordered(far, (7.5, 4, 2)), batch=1),
        editor("cycle diffusion", cycle, _cycle, ordered(far, (7.5, 4, 2)), batch=1),
    )
    return (*own_words, *(with_full_words(one) for one in own_words[:3]))


@torch.no_grad()
def _course(model: Model, task: Task, setting: Setting) -> Pictures:
    """Hugging Face diffusion course, unit 4, "DDIM inversion": `invert`, then `sample` from a latent by its index.

    Its errors are kept: the loop over i = 1 .. N - 2 never reaches the noisiest level; the latent at index
    -(start_step + 1) does not belong to the level that the first sampling step assumes; and the last step ends at
    label 1 instead of the clean picture. N must divide 1000, as 50 does.
    """
    scheduler = made(DDIMScheduler, scheduler_config(model))
    scheduler.set_timesteps(STEPS)
    table, gap = scheduler.alphas_cumprod, 1000 // STEPS
    start_step = round((1 - setting.strength) * STEPS)

    with as_noise_predictor(model) as unet:

        def noise_of(x: Tensor, label: int, words: Tensor) -> Tensor:
            nothing = model.condition([""] * len(x)).tokens
            both = unet(torch.cat([x, x]), label, torch.cat([nothing, words])).sample
            without, with_words = both.chunk(2)
            return without + setting.guidance * (with_words - without)

        latents = model.encode(task.pictures)
        source, target = model.condition(task.source).tokens, model.condition(task.target).tokens
        kept = []
        labels = scheduler.timesteps.tolist()
        for t in labels[::-1][1:-1]:
            eps = noise_of(latents, t, source)
            now, then = table[max(0, t - gap)], table[t]
            latents = (latents - (1 - now).sqrt() * eps) * (then / now).sqrt() + (1 - then).sqrt() * eps
            kept.append(latents)
        latents = kept[-(start_step + 1)]
        for t in labels[start_step:]:
            eps = noise_of(latents, t, target)
            now, then = table[t], table[max(1, t - gap)]
            x0 = (latents - (1 - now).sqrt() * eps) / now.sqrt()
            latents = then.sqrt() * x0 + (1 - then).sqrt() * eps
    return model.decode(latents)


@torch.no_grad()
def _ddim_pair(model: Model, task: Task, setting: Setting) -> Pictures:
    config = scheduler_config(model)
    forth, back = made(DDIMInverseScheduler, config), made(DDIMScheduler, config)
    forth.set_timesteps(STEPS)
    back.set_timesteps(STEPS)
    count = max(1, round(setting.strength * STEPS))
    source, target = model.condition(task.source).tokens, model.condition(task.target).tokens
    nothing = model.condition([""] * len(source)).tokens
    x = model.encode(task.pictures)
    with as_noise_predictor(model) as unet:
        for t in forth.timesteps[:count]:
            x = forth.step(unet(x, t, source).sample, t, x).prev_sample
        for t in back.timesteps[STEPS - count :]:
            without, with_words = unet(torch.cat([x, x]), t, torch.cat([nothing, target])).sample.chunk(2)
            x = back.step(without + setting.guidance * (with_words - without), t, x).prev_sample
    return model.decode(x)


def _img2img(model: Model, task: Task, setting: Setting) -> Pictures:
    with pipeline(StableDiffusionImg2ImgPipeline, model) as pipe:
        return _pictures(
            pipe(
                prompt=list(task.target), image=_unit(task.pictures), strength=setting.strength,
                guidance_scale=setting.guidance, num_inference_steps=STEPS, generator=_generators(task),
                output_type="pt",
            )
        )  # fmt: skip


def _ledits(model: Model, task: Task, setting: Setting) -> Pictures:
    """Add the target prompt and subtract the source prompt, as the LEDITS++ documentation does for replacements."""
    scheduler = {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}  # as in the paper
    with (
        as_four_channels(model),
        pipeline(LEditsPPPipelineStableDiffusion, model, DPMSolverMultistepScheduler, **scheduler) as pipe,
    ):
        generator = _generators(task)[0]
        pipe.invert(
            image=_unit(task.pictures), source_prompt=task.source[0], num_inversion_steps=30,
            skip=1 - setting.strength, generator=generator,
        )  # fmt: skip
        return _pictures(
            pipe(
                editing_prompt=[task.source[0], task.target[0]], reverse_editing_direction=[True, False],
                edit_guidance_scale=setting.guidance, edit_threshold=0.75, generator=generator, output_type="pt",
            )
        )  # fmt: skip


def _diffedit(model: Model, task: Task, setting: Setting) -> Pictures:
    source, target, image, generator = task.source[0], task.target[0], _unit(task.pictures), _generators(task)[0]
    steps = {"inpaint_strength": setting.strength, "num_inference_steps": STEPS, "generator": generator}
    with pipeline(StableDiffusionDiffEditPipeline, model) as pipe:
        mask = pipe.generate_mask(
            image=image, source_prompt=source, target_prompt=target, guidance_scale=setting.guidance,
            generator=generator,
        )  # fmt: skip
        path = pipe.invert(prompt=source, image=image, guidance_scale=1.0, **steps).latents
        return _pictures(
            pipe(
                prompt=target, negative_prompt=source, mask_image=mask, image_latents=path,
                guidance_scale=setting.guidance, output_type="pt", **steps,
            )
        )  # fmt: skip


def _cycle(model: Model, task: Task, setting: Setting) -> Pictures:
    with pipeline(CycleDiffusionPipeline, model) as pipe:
        return _pictures(
            pipe(
                prompt=list(task.target), source_prompt=list(task.source), image=_unit(task.pictures),
                num_inference_steps=STEPS, eta=0.1, strength=setting.strength, guidance_scale=setting.guidance,
                source_guidance_scale=1, generator=_generators(task), output_type="pt",
            )
        )  # fmt: skip


def _unit(pictures: Pictures) -> Pictures:
    """Return pictures in [0, 1], the range that the pipelines take."""
    return pictures / 2 + 0.5


def _pictures(output: Any) -> Pictures:
    return torch.as_tensor(output.images).float() * 2 - 1


def _generators(task: Task) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in task.seeds]
