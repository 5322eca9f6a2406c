"""A world of one's own: the whole loop on a checkout, with nothing pushed anywhere.

The checkout's commit, or its uncommitted tree, becomes the only commit of a bare repository in the
state folder, which then is the remote: ledger, release commits and a folder store live beside it.
Release files are left out, since what they name is in another ledger and another store; gitwf.yaml
is rewritten so that engine, store and viewers are this machine's, on ports of their own. Each time
it is made anew, and the viewer's front of the time before is stopped first; the front of this time
stays up, since looking at it is what this is for, and when that is stopped the world is removed.
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitwf import errors, ports
from gitwf.adapters.git import checkout
from gitwf.delivery import project, release
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId
from gitwf.wiring import fronts
from gitwf.wiring import settings as all_settings

BRANCH = "main"
STORE = "file:store"
_FRONTS = "state/remotes/*/fronts/*/*"


def folder(chosen: all_settings.Settings, found: checkout.Checkout) -> Path:
    """Where the world of a checkout is kept."""
    name = hashlib.sha256(str(found.folder.resolve()).encode()).hexdigest()[:12]
    return chosen.state_folder / "local" / name


def here() -> checkout.Checkout:
    """The checkout that the current folder is in. Stalled: there is none."""
    found = checkout.find(Path.cwd())
    if found is None:
        raise errors.Stalled("this is no Git checkout", hint="run it inside one")
    return found


def settings(chosen: all_settings.Settings, *, uncommitted: bool = False) -> all_settings.Settings:
    """Make the world anew, and give the settings that name it. Stalled: nothing to make it of."""
    found = here()
    if found.commit is None and not uncommitted:
        raise errors.Stalled("the checkout has no commit yet", hint="commit first")
    root = folder(chosen, found)
    clear(root)
    root.mkdir(parents=True)
    checkout.copy(
        found,
        root / "remote.git",
        branch=BRANCH,
        uncommitted=uncommitted,
        without=release.FOLDER,
        rewritten={project.FILE: on_this_machine},
    )
    return existing(chosen)


def on_this_machine(content: bytes) -> bytes:
    """Rewrite a gitwf.yaml for the local engine, a folder store and local viewers.

    A wrong one stays as it is, for its mistakes to be told where they are.
    """
    try:
        read, _ = models.check(project.Project, yaml_reader.read_one(content, project.FILE))
    except errors.Rejected:
        return content
    if read is None:
        return content
    written = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    spec = written["spec"]
    spec["engine"] = {**spec.get("engine", {}), "name": "local"}
    spec["store"] = STORE
    spec["environments"] = {name: {"local": {}} for name in read.spec.environments}
    return json.dumps(written, indent=2, ensure_ascii=False).encode()


def alone(
    tree: ports.Tree, commit: CommitId, file: str, parameters: Mapping[str, str]
) -> dict[str, bytes]:
    """The edits by which a project has this one pipeline, with these parameters, shown at once."""
    whole = _value(tree, commit, project.FILE)
    whole["spec"]["pipelines"] = [file]
    only = _value(tree, commit, file)
    spec = only["spec"]
    spec["parameters"] = {**spec.get("parameters", {}), **parameters}
    spec["deploy"] = [
        {name: value for name, value in one.items() if name != "promote"} for one in spec["deploy"]
    ]
    return {project.FILE: json.dumps(whole).encode(), file: json.dumps(only).encode()}


def _value(tree: ports.Tree, commit: CommitId, file: str) -> Any:
    return yaml_reader.read_one(tree.read(commit, file) or b"", file).value


def existing(chosen: all_settings.Settings) -> all_settings.Settings:
    """The settings that name the world as it was made last."""
    root = folder(chosen, here())
    return dataclasses.replace(
        chosen, remote=str(root / "remote.git"), branch=BRANCH, state=str(root / "state")
    )


def tidy(chosen: all_settings.Settings) -> None:
    """Remove the world as it was made last, once no front of it is left."""
    root = folder(chosen, here())
    if not any(root.glob(_FRONTS)):
        clear(root)


def clear(root: Path) -> None:
    """Stop the fronts of a world and remove it."""
    from gitwf.adapters.viewer import control

    for home in root.glob(_FRONTS):
        state = home.parent.parent.parent
        own = fronts.settings(all_settings.Settings(), state, home.name, home.parent.name, None)
        control.down(own)
    shutil.rmtree(root, ignore_errors=True)
