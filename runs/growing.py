"""A codec with more blocks that says what it said: those that are added begin as identities."""

from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny


def grown(codec: AutoencoderTiny, larger: AutoencoderTiny) -> AutoencoderTiny:
    """The larger codec, with the weights of the smaller one; what is more in it adds nothing yet."""
    weights, found = larger.state_dict(), codec.state_dict()
    for part in ("encoder", "decoder"):
        old, new = (_places(part, one.config[f"num_{part}_blocks"]) for one in (codec, larger))
        for name in [name for name in weights if name.startswith(f"{part}.layers.")]:
            number, rest = name.removeprefix(f"{part}.layers.").split(".", 1)
            place = new[int(number)]
            if place in old:
                weights[name] = found[f"{part}.layers.{old.index(place)}.{rest}"]
            elif rest.startswith("conv.4."):  # the last convolution of a block, which is added to the block's input
                weights[name].zero_()
    larger.load_state_dict(weights)
    return larger


def _places(part: str, blocks: tuple[int, ...]) -> list[tuple[int, str, int]]:
    """What each layer of an encoder or decoder is: its level, its kind, and which of that kind."""
    decodes = part == "decoder"
    places = [(-1, "convolution", 0), (-1, "activation", 0)] if decodes else []
    for level, count in enumerate(blocks):
        if not decodes:
            places.append((level, "convolution", 0))  # the first, or one that halves
        places += [(level, "block", i) for i in range(count)]
        if decodes:
            places += [(level, "upsampling", 0)] if level < len(blocks) - 1 else []
            places.append((level, "convolution", 0))
    return places if decodes else [*places, (len(blocks), "convolution", 0)]
