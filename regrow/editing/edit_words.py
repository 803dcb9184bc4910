"""Which prompts an edit encodes: all at its beginning, so that it can be done before the network is opened."""

from collections.abc import Sequence

from regrow.core.edit_localization import COPIES as COPIES_FOR_MASK
from regrow.core.methods.registry import method
from regrow.editing.strength import COPIES as COPIES_FOR_STRENGTH
from regrow.requests.edit import Edit


def prompts_of(request: Edit, targets: Sequence[str], no_words: str = "") -> list[list[str]]:
    """Return the lists of prompts that an edit encodes, each at once, as `memory.words.with_words` takes them.

    Args:
        request: with prompts in words.
        targets: of the results of the batch.
        no_words: what the model encodes where there are no negative words.
    """
    chosen = method(request.method)
    away = request.source if request.negative is None and not chosen.needs else request.negative or no_words
    lists = [[*targets], [away] * len(targets)]
    if not chosen.needs:  # which start from noise, so that nothing is inverted
        lists.append([request.source])
    if request.attention != "none":
        lists.append([request.source, *targets])
    if request.invert_guidance != 1 or chosen.tune:
        lists.append([no_words])
    for setting, copies in ((request.mask, COPIES_FOR_MASK), (request.strength, COPIES_FOR_STRENGTH)):
        if setting == "auto":
            lists.append([one for one in (*dict.fromkeys(targets), request.source) for _ in range(copies)])
    return lists
