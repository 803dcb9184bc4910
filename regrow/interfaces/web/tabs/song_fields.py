"""The fields of a song: lyrics, language and structure, on the tabs that make sounds."""

from typing import Any

import gradio as gr

from regrow.interfaces.web.shared import worded
from regrow.interfaces.web.texts import text

LANGUAGES = ("en", "zh", "ja", "ko", "es", "fr", "de", "it", "pt", "ru", "hi", "ar")
NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{note} {mode}" for mode in ("major", "minor") for note in NOTES)
TIMES = ("2/4", "3/4", "4/4", "6/8")


def song_fields(prefix: str, edits: bool = False) -> dict[str, Any]:
    """Build the fields, by the names of `SongOptions`' fields, in a closed box.

    Args:
        prefix: of their ids.
        edits: whether a song is changed: then there are the lyrics that it has and those that it gets.
    """
    with gr.Accordion(text("song"), open=False, elem_id=f"{prefix}-song"):
        gr.Markdown(text("song_info"))
        fields: dict[str, Any] = {
            "lyrics": gr.Textbox(
                label=text("lyrics_now" if edits else "lyrics"), placeholder=text("lyrics_hint"), lines=6,
                max_lines=30, elem_id=f"{prefix}-lyrics",
            )
        }  # fmt: skip
        if edits:
            fields["to_lyrics"] = gr.Textbox(
                label=text("to_lyrics"), placeholder=text("lyrics_hint"), lines=6, max_lines=30, elem_id="to-lyrics"
            )
        with gr.Row():
            fields["language"] = gr.Dropdown(
                [(text("by_script"), ""), *LANGUAGES], value="", label=text("language"), allow_custom_value=True
            )
            fields["bpm"] = gr.Number(0, label=text("bpm"), precision=0)
        with gr.Row():
            choice = (text("option_model_own"), "")
            fields["key"] = gr.Dropdown([choice, *KEYS], value="", label=text("key"), allow_custom_value=True)
            fields["time_signature"] = gr.Dropdown(
                [choice, *TIMES], value="", label=text("time_signature"), allow_custom_value=True
            )
    return fields


def song_in(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a song from what stands in its fields."""
    words = ("lyrics", "to_lyrics", "language", "key", "time_signature")
    found = {name: worded(given[name]) for name in words if name in given}
    return found | {"bpm": int(given["bpm"] or 0)}
