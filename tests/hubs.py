"""What tests of publishing and getting models share: a hub on this machine, its refusals, and what folders hold."""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from hub_server import HubServer
from huggingface_hub import errors
from huggingface_hub.utils import hf_raise_for_status

from regrow.models.open import list_models, user_models

httpx = importlib.import_module(errors.Response.__module__.split(".")[0])  # whichever the hub's client is built on
UNET = "unet/diffusion_pytorch_model.safetensors"
_API = huggingface_hub.HfApi  # of which tests put the one below in its place


class Hub:
    """A hub in a folder: the methods of `HfApi` that regrow calls, and files over HTTP."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server = HubServer(root)
        self.endpoint = self.server.address
        self.public: set[str] = set()
        self.calls: list[str] = []
        self.failing: dict[str, Exception] = {}

    def create_repo(self, repo: str, *, private: bool | None, exist_ok: bool) -> str:
        self._called("create_repo")
        assert exist_ok
        if not private:
            self.public.add(repo)
        (self.root / repo).mkdir(parents=True, exist_ok=True)
        return f"https://huggingface.co/{repo}"

    def model_info(self, repo: str, *, files_metadata: bool = False) -> Any:
        self._called("model_info")
        told = _API(self.endpoint).model_info(repo, files_metadata=files_metadata)
        told.private = repo not in self.public
        return told

    def upload_folder(self, *, repo_id: str, folder_path: Path, commit_message: str) -> None:
        self._called("upload_folder")
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)

    @property
    def fetched(self) -> list[str]:
        return [name for name, _ in self.server.asked]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def names() -> set[str]:
    return {model.name for model in list_models() if model.folder.parent == user_models()}


def refused(action: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def http_error(status: int, url: str = "https://huggingface.co/api/repos/create", **headers: str) -> Exception:
    """What the hub's client makes of an answer."""
    with pytest.raises(errors.HfHubHTTPError) as caught:
        hf_raise_for_status(httpx.Response(status, request=httpx.Request("POST", url), headers=headers))
    return caught.value
