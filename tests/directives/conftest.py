"""A folder with a directives file, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.configuration.load import Configuration, ConfigurationErrors, load

Configure = Callable[..., Configuration]
Problems = Callable[..., list[str]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A server root with the usual folders."""
    for name in ("conf", "cgi-bin", "htdocs"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def configure(site: Path) -> Configure:
    """Load a text as conf/gateway.conf."""

    def configured(
        text: str, environ: Mapping[str, str] | None = None, defines: tuple[str, ...] = ()
    ) -> Configuration:
        file = site / "conf" / "gateway.conf"
        file.write_text(text)
        return load(str(file), defines=defines, environ=environ or {})

    return configured


@pytest.fixture
def problems(site: Path, configure: Configure) -> Problems:
    """The problems of a text, with places relative to conf."""

    def found(text: str) -> list[str]:
        with pytest.raises(ConfigurationErrors) as caught:
            configure(text)
        return [str(one).replace(f"{site}/conf/", "") for one in caught.value.problems]

    return found
