"""Jobs and the queue as the API returns them."""

from typing import Any
from urllib.parse import quote

from regrow.interfaces.server.history.items import items_of, made_at, words_of
from regrow.interfaces.server.jobs.job import Job, finite
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.wording import worded, worded_facts, worded_part


def job_json(job: Job, worker: Worker, caller: Caller) -> dict[str, Any]:
    """Return a job as `Job` in page/js/api.js, in the caller's language. It reads the headers of the results.

    `results` are those made so far. `previews` is the number of previews; `preview` is the address of the first, and
    with `&index=1` that of the second.
    """
    language = caller.language
    part, index, steps = job.progress
    state, facts = job.state, worded_facts(finite(dict(job.facts)), language)
    facts.pop("items", None)
    preview = f"/api/jobs/{job.id}/preview?v={job.preview_version}" if job.previews else None
    return {
        "id": job.id,
        "verb": job.verb,
        "state": state,
        "place": worker.places().get(job.id, 0) if state == "waiting" else 0,
        "progress": {
            "part": part,
            "index": index,
            "steps": steps,
            "words": worded_part(part, language) if part else "",
        },
        "preview": preview,
        "previews": len(job.previews),
        "settings": finite(job.settings),
        "results": [item.model_dump() for item in items_of(job)],
        "beside": {what: f"/api/results/{job.id}/{quote(file)}" for what, file in dict(job.beside).items()},
        "notes": [worded(note, language) for note in list(job.notes)],
        "summary": worded(job.summary, language) if job.summary else "",
        "guess": bool(facts.get("guess")),
        "facts": facts,
        "error": worded(job.error, language) if job.error else "",
        "made": made_at(job.id),
        "took": job.took,
    }


def queue_json(worker: Worker, caller: Caller) -> dict[str, Any]:
    """Return the queue as a caller may see it; with a password, others' jobs show only state and place."""
    listed = []
    places = worker.places()
    for job in worker.queued():
        own = worker.may_see(caller, job)
        listed.append(
            {
                "id": job.id if own else "",
                "verb": job.verb if own else "",
                "words": words_of(job.settings, "", 0) if own else "",
                "state": job.state,
                "place": places.get(job.id, 0),
                "own": own,
            }
        )
    return {"jobs": listed}
