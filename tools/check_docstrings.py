"""Check the docstrings of public names with numpydoc's rules, read from the source without importing it.

Differs from ``numpydoc lint`` in what this project's conventions need: a dataclass's parameters are its fields
(under Parameters or under Attributes), a summary may end with a unit ("... of the orbit. [m]"), and functions
inside functions are nobody's interface.
The rules are in ``pyproject.toml`` under ``tool.numpydoc_validation``.

Usage: ``python tools/check_docstrings.py [FILE ...]`` (default: every module of the package).
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from numpydoc import validate
from numpydoc.hooks.validate_docstrings import AstValidator, DocstringVisitor, parse_config

ROOT = Path(__file__).resolve().parent.parent
UNIT_AT_END = re.compile(r"\.\s+\[[^\]\n]+\]\Z")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_dataclass(node: ast.AST) -> bool:
    """Whether a class is decorated with ``dataclass``, called or not."""
    names = (ast.unparse(decorator) for decorator in getattr(node, "decorator_list", []))
    return any(re.match(r"(dataclasses\.)?dataclass\b", name) for name in names)


class Validator(AstValidator):
    """numpydoc's view of a node, with the fields of a dataclass as its parameters."""

    @property
    def signature_parameters(self) -> tuple[str, ...]:
        """Names that the Parameters section must have."""
        if not is_dataclass(self.node):
            return tuple(super().signature_parameters)
        documented = {name for attribute in self.doc["Attributes"] for name in attribute.name.split(", ")}
        return tuple(
            statement.target.id
            for statement in self.node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and not ast.unparse(statement.annotation).startswith("ClassVar")
            and not statement.target.id.startswith("_")
            and statement.target.id not in documented
        )


class Visitor(DocstringVisitor):
    """Collects the findings of one module."""

    def visit(self, node: ast.AST) -> None:
        """Leave out what is defined inside a function."""
        if isinstance(node, ast.ClassDef | FUNCTIONS[0] | FUNCTIONS[1]) and any(
            isinstance(outer, FUNCTIONS) for outer in self.stack
        ):
            return
        super().visit(node)

    def _get_numpydoc_issues(self, node: ast.AST) -> None:
        report = validate.validate(
            self.node_name, Validator, ast_node=node, filename=self.filepath, ancestry=self.stack[:-1]
        )
        summary = (ast.get_docstring(node) or "").partition("\n\n")[0]
        for check, description in report["errors"]:
            if self._ignore_issue(node, check) or (check == "SS03" and UNIT_AT_END.search(summary)):
                continue
            self.findings.append([f"{self.filepath}:{report['file_line']}", self.node_name, check, description])


def problems(path: Path) -> list[str]:
    """Findings in one file, each one line."""
    visitor = Visitor(filepath=str(path), config=parse_config(ROOT))
    visitor.visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return [f"{where}: {name}: {check} {text}" for where, name, check, text in visitor.findings]


def main(arguments: list[str]) -> int:
    """Print all findings; 1 if there are any."""
    files = [Path(argument) for argument in arguments] or sorted((ROOT / "src").rglob("*.py"))
    found = [line for path in files for line in problems(path)]
    print("\n".join(found), end="\n" if found else "")
    print(f"docstrings: {len(files)} files, {len(found)} problems", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
