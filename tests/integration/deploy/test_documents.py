"""The documents lead somewhere, and the commands in them exist."""

import re
from pathlib import Path

import click
import pytest

from gateway.cli import main

ROOT = Path(__file__).parents[3]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
COMMAND = re.compile(r"(?:^|[`/ ])headwater ([a-z]+)(?=[`\s\\])", re.MULTILINE)
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


def commands_in(text: str) -> set[str]:
    """The first word after each `headwater` that stands in code."""
    code = [*FENCED.findall(text), *(f"`{span}`" for span in INLINE.findall(FENCED.sub("", text)))]
    return {found[1] for span in code for found in COMMAND.finditer(span)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]

    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_exists(document: Path) -> None:
    assert commands_in(document.read_text()) <= set(main.list_commands(click.Context(main)))


def test_the_documents_name_the_commands_at_all() -> None:
    named = set().union(*(commands_in(document.read_text()) for document in DOCUMENTS))

    assert {"run", "check", "init", "sql", "ledger", "trace"} <= named


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)`", (ROOT / "CONTRIBUTING.md").read_text()))))
def test_every_make_target_of_the_guide_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
