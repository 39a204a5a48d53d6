"""The database that tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports.desk import Desk
from trunkline.adapters.storage import migrate


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database of the newest schema."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate.upgrade(f"sqlite:///{folder / 'trunkline.db'}")
    return (folder / "trunkline.db").read_bytes()


@pytest.fixture
def desk(tmp_path: Path, migrated: bytes) -> Desk:
    """A database with one contact centre and one list."""
    (tmp_path / "trunkline.db").write_bytes(migrated)
    return Desk(tmp_path)
