"""A server reads a probe while its worker opens a model; each gets its weights."""

import threading

from accelerate import init_empty_weights

from regrow.models.load_part import quiet
from regrow.models.open import EMBEDDED, open_model
from regrow.models.probes.attributes import read_describer


def test_a_probe_has_its_weights_although_another_thread_makes_a_network() -> None:
    folder, channels = EMBEDDED / "storybook", open_model("storybook").latent_channels
    read = []
    thread = threading.Thread(target=lambda: read.append(read_describer(folder, channels)))
    with quiet(), init_empty_weights():
        thread.start()
        thread.join(0.5)
    thread.join(60)
    assert not any(weight.is_meta for weight in read[0].network.parameters())
