"""Nothing that judges knows the simulator: no text of its worlds stands in a rule, a measure, a query or a setting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

LENGTH = 12
JUDGES = (
    *sorted((ROOT / "pipeline" / "stages").rglob("*.py")),
    *sorted((ROOT / "pipeline" / "measures").rglob("*.py")),
    *sorted((ROOT / "sql").rglob("*.sql")),
    ROOT / "pipeline" / "default.toml",
)


def _literals(path: Path) -> Iterator[str]:
    """Texts of a module, docstrings aside: they describe and make nothing; a text joined of parts gives its parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    described |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in described:
            text = node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
            yield from (part for part in (text, *text.split("\n")) if len(part.strip()) >= LENGTH)


def _worlds_texts() -> set[str]:
    return {text.strip() for path in sorted((ROOT / "pipeline" / "simulate").rglob("*.py")) for text in _literals(path)}


def _names() -> set[str]:
    """Words that name things and stand in no world: columns and values of the contract, families and kinds of evidence, and the simulator's own dials."""
    sources = [(ROOT / "pipeline" / name).read_text(encoding="utf-8") for name in ("contract.py", "schema.py", "kinds.py")]
    words = {word for source in sources for word in re.findall(r"[a-z0-9_]+", source)}
    dials = ast.walk(ast.parse((ROOT / "pipeline" / "simulate" / "dials.py").read_text(encoding="utf-8")))
    return words | {node.target.id for node in dials if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}


def test_the_texts_of_the_simulator_are_many_and_found_by_this_test() -> None:
    texts = _worlds_texts()
    assert len(texts) > 300
    assert max(map(len, texts)) > 40


def test_no_text_of_the_simulator_stands_where_accounts_are_judged() -> None:
    texts, sources = _worlds_texts() - _names(), {path: path.read_text(encoding="utf-8") for path in JUDGES}
    assert len(sources) > 60
    assert len(texts) > 300
    assert [(text, path.name) for path, source in sources.items() for text in sorted(texts) if text in source] == []


def test_a_planted_text_would_be_found() -> None:
    text = max(_worlds_texts(), key=len)
    assert text in f"WHERE prompt = '{text}'"
    assert text not in _names()
