"""The judges: independent attribute classifiers of pictures and mels.

They are trained only on drawings and on played phrases (runs/train_probes.py), with seeds that are used neither to
train nor to measure models. Their own errors are reported next to those of the models (`world_bench`).
"""

from pathlib import Path

from regrow.models.probes.attribute_network import Kind
from regrow.models.probes.attributes import AttributeClassifier, read_judge
from regrow.worlds.world import WORLDS

WEIGHTS = {world: Path(__file__).parent / "weights" / f"{world}.safetensors" for world in ("storybook", "bandstand")}
KINDS: dict[str, Kind] = {"storybook": "pictures", "bandstand": "mels"}
"""The medium that the judge of each world reads."""


def load_judge(world: str, path: Path | None = None) -> AttributeClassifier:
    """Load the judge of a world: the one that ships with regrow, or one that runs/train_probes.py wrote.

    Raises:
        MediaError: the file cannot be read.
        ModelError: it is not a judge, or its attributes are not those of the world.
    """
    return read_judge(path or WEIGHTS[world], KINDS[world], world, WORLDS[world].attributes)
