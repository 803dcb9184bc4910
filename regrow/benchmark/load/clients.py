"""Simulated users of a server under load, programs that keep a cookie; each checks that its results are its own."""

import hashlib
import threading
import time
from dataclasses import asdict, dataclass, field
from io import BytesIO
from typing import Any

PLACES = ("on a beach", "in the snow", "in a meadow", "at night")
THINGS = ("a black cat", "a white rabbit", "an orange dog", "a brown fox")
PATIENCE = 600.0
"""Seconds after which a request counts as failed."""


@dataclass(frozen=True)
class Done:
    """One job of one user.

    Attributes:
        user: who requested it.
        job: its id.
        waited: seconds in the queue: from request to result, without the seconds of computing.
        whole: seconds from request to result.
        together: number of jobs in its batch; 1 if it was computed alone.
        at: seconds from the beginning of the load until it was done.
    """

    user: str
    job: str
    waited: float
    whole: float
    together: int
    at: float


@dataclass
class Load:
    """State that all simulated users share; thread-safe.

    Attributes:
        address: of the server.
        password: of the server.
        model: that makes pictures.
        steps: of each picture.
        began: beginning of the load, by `time.monotonic`.
        ends: time after which no new job is requested.
        done: finished jobs.
        faults: sentences on what was wrong.
        answers: response times of the server to small requests, in seconds.
    """

    address: str
    password: str
    model: str
    steps: int
    began: float
    ends: float
    done: list[Done] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    _owners: dict[str, str] = field(default_factory=dict)
    _contents: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def goes_on(self) -> bool:
        """Whether to request new jobs."""
        return time.monotonic() < self.ends

    def fault(self, sentence: str) -> None:
        """Record a fault."""
        with self._lock:
            self.faults.append(sentence)

    def note(self, user: str, now: dict[str, Any], whole: float) -> None:
        """Record a finished job."""
        waited, together = max(0.0, whole - (now["took"] or 0.0)), now["facts"].get("together", 1)
        done = Done(user, now["id"], waited, whole, together, time.monotonic() - self.began)
        with self._lock:
            self._owners[now["id"]] = user
            self.done.append(done)

    def another(self, user: str) -> str:
        """Return the id of another user's job; "" if there is none yet."""
        with self._lock:
            return next((job for job, owner in reversed(self._owners.items()) if owner != user), "")

    def check_new(self, user: str, content: bytes) -> None:
        """Record a picture, or a fault if another user got the same: each picture has its own prompt and seed."""
        key = hashlib.blake2b(content, digest_size=16).hexdigest()
        with self._lock:
            before = self._contents.setdefault(key, user)
        if before != user:
            self.fault(f"{user} was given a picture that {before} was given before")

    def rows(self) -> list[dict[str, Any]]:
        """Return the jobs JSON-able."""
        return [asdict(one) for one in self.done]


class Program(threading.Thread):
    """A user that requests one job after the other by the API.

    Args:
        load: the load that it is part of.
        number: its number among the programs.
    """

    def __init__(self, load: Load, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._load, self._number = load, number

    def run(self) -> None:
        """Request jobs until the load ends."""
        import httpx

        try:
            with httpx.Client(base_url=self._load.address, timeout=PATIENCE) as client:
                client.post("/login", data={"username": "regrow", "password": self._load.password})
                turn = 0
                while self._load.goes_on:
                    self._ask(client, turn)
                    turn += 1
        except Exception as problem:  # any error counts as a fault of the server
            self._load.fault(f"{self.name}: {type(problem).__name__}: {problem}")

    def _ask(self, client: Any, turn: int) -> None:
        load, seed = self._load, 100_000 * (self._number + 1) + turn
        prompt = f"{THINGS[seed % len(THINGS)]} {PLACES[turn % len(PLACES)]}"
        wanted = {"prompt": prompt, "seed": seed, "model": load.model, "steps": load.steps}
        began = time.monotonic()
        answer = client.post("/api/generate", json=wanted)
        if answer.status_code != 202:
            load.fault(f"{self.name} was refused: {answer.text[:200]}")
            return
        now = answer.json()
        while now["state"] in ("waiting", "running") and time.monotonic() - began < PATIENCE:
            now = client.get(f"/api/jobs/{now['id']}/wait?seconds=60").json()
        load.note(self.name, now, time.monotonic() - began)
        if now["state"] != "done" or len(now["results"]) != 1:
            load.fault(f"{self.name}: the job {now['id']} is {now['state']}: {now['error']}")
            return
        self._check(client, now, wanted)

    def _check(self, client: Any, now: dict[str, Any], wanted: dict[str, Any]) -> None:
        """Check that a result is what was requested and new, and that other users' results are inaccessible."""
        load = self._load
        content = client.get(now["results"][0]["url"]).content
        load.check_new(self.name, content)
        settings = _recipe(content)["settings"]
        if {name: settings[name] for name in ("prompt", "seed")} != {name: wanted[name] for name in ("prompt", "seed")}:
            load.fault(f"{self.name} asked for {wanted} and was given {settings['prompt']!r}, {settings['seed']}")
        if other := load.another(self.name):
            if client.get(f"/api/jobs/{other}").status_code != 404:
                load.fault(f"{self.name} was shown the job {other} of another user")
            own = {one["job"] for one in client.get("/api/history?limit=5").json()["items"]}
            if other in own:
                load.fault(f"{self.name} was shown a result of another user in the history")


def _recipe(content: bytes) -> dict[str, Any]:
    from PIL import Image

    from regrow.media.image import tag

    with Image.open(BytesIO(content)) as image:
        return tag.parse(tag.find(image) or "")


class Probe(threading.Thread):
    """Measures the response time of small requests, each by a new connection, as a new browser makes one."""

    PAUSE = 0.5

    def __init__(self, load: Load) -> None:
        super().__init__(name="probe", daemon=True)
        self._load = load

    def run(self) -> None:
        """Send requests until the load ends."""
        import httpx

        with httpx.Client(base_url=self._load.address, timeout=PATIENCE) as client:
            client.post("/login", data={"username": "regrow", "password": self._load.password})
            cookies = dict(client.cookies)
        while self._load.goes_on:
            began = time.monotonic()
            with httpx.Client(base_url=self._load.address, timeout=PATIENCE, cookies=cookies) as client:
                code = client.get("/api/jobs?active=1").status_code
            self._load.answers.append(time.monotonic() - began)
            if code != 200:
                self._load.fault(f"the front answered {code}")
            time.sleep(self.PAUSE)
