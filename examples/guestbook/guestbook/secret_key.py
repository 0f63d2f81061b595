"""The key that signs the session cookie."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def load(folder: str) -> str:
    """Return the secret key: from GUESTBOOK_SECRET_KEY, else from the file ``secret_key`` in `folder`.

    The file is made when it is missing, readable by its owner only.

    :raises OSError: the file cannot be read or written
    """
    # Not through from_prefixed_env: that would turn a key made of digits into a number.
    from_environment = os.environ.get("GUESTBOOK_SECRET_KEY")
    if from_environment:
        return from_environment
    path = Path(folder, "secret_key")
    if not path.exists():
        _create(path)
    return path.read_text(encoding="ascii")


def _create(path: Path) -> None:
    # Several workers may start at once and must agree on one key. So the key is written under another name, and the
    # first one to link it to the real name wins. mkstemp makes files of mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
