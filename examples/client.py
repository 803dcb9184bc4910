"""Edit a picture by the HTTP API of `regrow serve`: python examples/client.py http://127.0.0.1:7860 puppy.png"""

import sys
from pathlib import Path

import httpx

address, out = sys.argv[1:]
with httpx.Client(base_url=address, timeout=120) as api:
    picture = Path(__file__).with_name("cat.png").read_bytes()
    image = api.post("/api/files?name=cat.png", content=picture).json()["id"]
    job = api.post("/api/edit", json={"image": image, "target": ["a puppy on a beach"]}).json()
    while job["state"] in ("waiting", "running"):
        job = api.get(f"/api/jobs/{job['id']}/wait").json()
    Path(out).write_bytes(api.get(job["results"][0]["url"]).content)
    print(job["summary"], out)
