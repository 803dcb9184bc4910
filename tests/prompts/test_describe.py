"""A picture is described in the words of the wish, by the model's own describer or by a captioning model."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save as save_tensors
from transformers import BertTokenizerFast, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.result import Result
from regrow.media.audio.mel import to_mel, to_unit
from regrow.media.audio.sound import save as write_sound
from regrow.media.image.picture import from_uint8, save
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model, ModelError
from regrow.models.open import open_model
from regrow.models.probes.attributes import DESCRIBER, read_describer, write_classifier
from regrow.prompts import describe as describing
from regrow.prompts.describe import describe
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert
from regrow.training.probes.train_attributes import DEFAULTS, train_attributes
from regrow.worlds.bandstand.phrase import Phrase
from regrow.worlds.bandstand.playing import play
from regrow.worlds.storybook.drawing import Scene, draw

PENGUIN = Scene(animal="penguin", colour="grey", place="snow", accessory="red scarf")


@pytest.fixture(scope="module")
def storybook() -> Model:
    return open_model("storybook")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    save(tmp_path / "penguin.png", from_uint8(draw(PENGUIN, 256).picture[None])[0])
    return tmp_path / "penguin.png"


def edited(model: Model, image: Path, target: str = "a black rabbit in the snow", **settings: str) -> Result:
    return finish(edit(Edit(image, (target,), model=str(model.folder), steps=2, cache=False, **settings), model))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("a black rabbit in the snow", "a grey penguin in the snow"),
        ("雪地里的黑色兔子", "雪地里的灰色企鹅"),
        ("a grey penguin with a blue hat in the snow", "a grey penguin with a red scarf in the snow"),
    ],
)
def test_words_are_those_of_the_wish_but_for_what_is_seen(storybook: Model, wish: str, words: str) -> None:
    latents = storybook.encode(from_uint8(draw(PENGUIN, 256).picture[None]))
    assert describe(storybook, latents, (wish,)).words == words


def test_a_sound_is_described() -> None:
    model = open_model("bandstand")
    wave = torch.from_numpy(play(Phrase(instrument="marimba", pattern="arpeggio"), 5.944).wave)[None]
    settings = settings_of(model)
    words = describe(model, model.encode(to_unit(to_mel(wave[..., : 512 * 256], settings), settings))).words
    assert "marimba" in words
    assert "arpeggio" in words


def test_an_edit_with_auto_is_the_edit_with_the_words_it_found(storybook: Model, image: Path) -> None:
    told = edited(storybook, image, source="a grey penguin in the snow")
    auto, empty = (edited(storybook, image, source=source) for source in ("auto", ""))
    for read in (auto, empty):
        assert torch.equal(read.frames, told.frames)
        assert read.recipes[0]["settings"] == told.recipes[0]["settings"]
    assert any(
        'Source, found automatically: "a grey penguin in the snow" (penguin 100 %' in note for note in auto.notes
    )


def test_a_sounds_edit_with_auto_is_the_edit_with_the_words_it_found(tmp_path: Path) -> None:
    model = open_model("bandstand")
    wave = torch.from_numpy(play(Phrase(instrument="marimba", pattern="melody"), 5.9).wave)
    write_sound(tmp_path / "marimba.wav", wave, settings_of(model).rate)
    wish = Edit(tmp_path / "marimba.wav", ("a violin melody",), "auto", "bandstand", steps=2, cache=False)
    auto = finish(edit(wish, model))
    (words,) = {recipe["settings"]["source"] for recipe in auto.recipes}
    assert "marimba melody" in words
    assert any(f'Source, found automatically: "{words}"' in note for note in auto.notes)
    told = finish(edit(replace(wish, source=words), model))
    assert torch.equal(auto.items[0], told.items[0])


def test_what_cannot_be_together_is_not_told(storybook: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    certain = {"place": {"beach": 1.0}, "weather": {"snowy": 0.6, "rainy": 0.4}}
    certain |= {"time": {"sunset": 1.0}, "animal": {"fox": 1.0}}
    fake = SimpleNamespace(world="storybook", ranked=lambda latents: [certain])
    monkeypatch.setattr(describing, "read_describer", lambda folder, channels: fake)
    found = describe(storybook, torch.zeros(1, 16, 16, 16), ("a cat on a beach on a rainy day at sunset",))
    assert "rain" in found.words
    assert "fox" in found.words
    heard = {"instrument": {"drum kit": 0.9, "piano": 0.1}, "pattern": {"beat": 1.0}}
    fake = SimpleNamespace(world="bandstand", ranked=lambda latents: [heard])
    assert "drum kit" in describe(storybook, torch.zeros(1, 16, 16, 16)).words


def test_without_a_describer_it_says_what_to_do(checkpoint, image: Path) -> None:
    model = open_model(checkpoint("sd1"))
    assert edited(model, image).recipes[0]["settings"]["source"] == ""
    with pytest.raises(
        ValueError, match="cannot describe pictures: give the source in words, or a captioning model as describer"
    ):
        edited(model, image, source="auto")
    with pytest.raises(
        ValueError, match="The describer finds the source where none is given: leave out describer or source"
    ):
        edited(model, image, source="a cat", describer="somewhere")


def test_an_inversion_alone_is_told_its_source(image: Path) -> None:
    with pytest.raises(
        ValueError, match="Only edit can find the source by itself \\(source auto\\): describe the picture in words"
    ):
        Invert(image, "auto")


def test_a_damaged_describer_is_named(tmp_path: Path) -> None:
    facts = ("[]", '{"attributes": {}}', "7", '{"world": ' + "[" * 1_000 + "]" * 1_000 + ', "attributes": {}}')
    facts += ('{"world": "nowhere", "attributes": {}}', '{"world": ["storybook"], "attributes": {}}')
    for content in (b"nothing", *(save_tensors({}, {"describer": told}) for told in facts)):
        (tmp_path / DESCRIBER).write_bytes(content)
        with pytest.raises(ModelError, match=r"describer.safetensors is not a fitting describer \(.*: delete it"):
            read_describer(tmp_path, 4)


def test_a_describer_learns_and_is_measured_on_other_things(
    storybook: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    settings = replace(DEFAULTS["latents"], things=64, held_out=24, steps=60, batch=16)
    run = train_attributes("latents", "storybook", tmp_path / "run", settings, storybook)
    losses = []
    while True:
        try:
            losses.append(getattr(next(run), "loss", None))
        except StopIteration as end:
            describer = end.value
            break
    losses = [loss for loss in losses if loss is not None]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert describer.facts["held_out"]["clean"]["place"] > 0.3  # by chance 0.2
    write_classifier(tmp_path / DESCRIBER, describer)
    again, latents = read_describer(tmp_path, storybook.latent_channels), torch.randn(2, 16, 32, 32)
    assert again is not None
    assert (again.world, again.attributes) == ("storybook", describer.attributes)
    assert again.ranked(latents) == describer.ranked(latents)


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random captioning model of BLIP's architecture."""
    folder = tmp_path_factory.mktemp("blip")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cat", "dog", "beach", "on"]
    (folder / "vocab.txt").write_text("\n".join(words))
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(
        text_config={**sizes, **tokens, "vocab_size": len(words), "encoder_hidden_size": 16, "projection_dim": 16},
        vision_config={**sizes, "image_size": 32, "patch_size": 16, "projection_dim": 16},
        projection_dim=16,
    )
    torch.manual_seed(0)
    BlipForConditionalGeneration(config).save_pretrained(folder / "model")
    images = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(images, BertTokenizerFast(str(folder / "vocab.txt"), bos_token="[DEC]")).save_pretrained(
        folder / "model"
    )
    return folder / "model"


def test_a_captioning_model_of_transformers_describes_for_any_checkpoint(checkpoint, blip: Path, image: Path) -> None:
    model = open_model(checkpoint("sd1"))
    auto = edited(model, image, source="auto", describer=str(blip))
    words = auto.recipes[0]["settings"]["source"]
    assert set(words.split()) <= {"a", "cat", "dog", "beach", "on"}
    assert words
    assert any(f'Source, found by {blip}: "{words}".' in note for note in auto.notes)
    assert torch.equal(auto.frames, edited(model, image, source=words).frames)
    assert torch.equal(auto.frames, edited(model, image, describer=str(blip)).frames)


def test_a_captioning_model_that_is_not_there_is_named(checkpoint, image: Path, tmp_path: Path) -> None:
    model = open_model(checkpoint("sd1"))
    with pytest.raises(ModelError, match=r"captioning model .* cannot be opened"):
        edited(model, image, source="auto", describer=str(tmp_path / "nowhere"))
