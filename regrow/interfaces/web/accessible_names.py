"""A picture's name for screen readers, which gradio leaves empty."""

import gradio as gr


def named(image: gr.Image) -> None:
    """Let the label of a picture that is only shown name it, and the button that it lies in, whenever it changes."""
    script = f"""() => {{ const name = () => {{
        const label = document.querySelector('#{image.elem_id} label')?.innerText.trim();
        for (const img of document.querySelectorAll('#{image.elem_id} img'))
            {{ img.alt = label; img.closest('button')?.setAttribute('aria-label', label); }}
    }}; setTimeout(name, 100); }}"""
    image.change(None, None, None, js=script, api_visibility="private")
