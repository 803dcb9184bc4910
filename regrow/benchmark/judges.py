"""The judges: independent classifiers that read off a picture what it shows, and off a mel what is played.

They learned from drawings and from played phrases alone (runs/train_probes.py), on seeds that no model learns from and
none is measured on. Their own errors are measured beside those of the models (`world_bench`).
"""

from pathlib import Path

from regrow.models.probes.attribute_network import Kind
from regrow.models.probes.attributes import AttributeClassifier, read_judge
from regrow.worlds.world import WORLDS

WEIGHTS = {world: Path(__file__).parent / "weights" / f"{world}.safetensors" for world in ("storybook", "bandstand")}
KINDS: dict[str, Kind] = {"storybook": "pictures", "bandstand": "mels"}
"""What the judge of each world reads."""


def load_judge(world: str, path: Path | None = None) -> AttributeClassifier:
    """Load the judge of a world that ships with regrow, or one that runs/train_probes.py wrote.

    Raises:
        MediaError: the file cannot be read.
        ModelError: it is no judge, or judges other attributes than the world has.
    """
    return read_judge(path or WEIGHTS[world], KINDS[world], world, WORLDS[world].attributes)
