"""The groups of settings that the forms of the page and `regrow VERB --help` share; imports nothing heavy."""

from collections.abc import Mapping

GROUPS: Mapping[str, tuple[str, ...]] = {
    "what": (
        *("image", "sound", "first", "second", "repo", "file", "data", "world", "prompt", "target", "words", "source"),
        *("name", "style", "lyrics", "to_lyrics", "negative", "model", "start", "time", "count", "frames", "after"),
        *("before", "duration", "methods", "strengths", "guidances", "models"),
    ),
    "where": ("mask", "region", "span", "feather", "frame", "size", "tiles"),
    "how": (
        *("method", "strength", "seed", "steps", "guidance", "image_guidance", "guidance_share", "prompt_expansion"),
        *("attention", "attention_share", "emphasis", "medium", "new", "lora", "batch"),
    ),
    "sound": ("loop", "melody", "reference_sound", "notes", "normalize"),
    "song": ("tune", "singer", "accompany", "language", "bpm", "key", "time_signature"),
}
"""By the group, its settings in their order; settings in no group are for experts."""
EXPERT = "expert"
"""The group of all other settings."""
