"""Hostile inputs for the interfaces: the server's records and calls, projects, batches, the command line."""

from collections.abc import Sequence

from regrow.benchmark.hostile.kind import Kind


def all_kinds() -> Sequence[Kind]:
    """Return every kind of input that regrow reads."""
    from regrow.benchmark.hostile.media_kinds import media_kinds
    from regrow.benchmark.hostile.model_kinds import model_kinds
    from regrow.benchmark.hostile.state_kinds import state_kinds
    from regrow.benchmark.hostile.word_kinds import word_kinds
    from regrow.interfaces.hostile.commands import command_kinds
    from regrow.interfaces.hostile.server_kinds import server_kinds

    return (*media_kinds(), *word_kinds(), *model_kinds(), *state_kinds(), *server_kinds(), *command_kinds())
