"""Page of all commands, made from the typer application."""

import re
from typing import Any

import typer
from generated import heading, list_table, write_page

from satqkd.cli.main import app as application


def plain(text: str | None) -> str:
    """One paragraph of RST."""
    return re.sub(r"\s+", " ", (text or "").replace("\b", "")).strip().replace("*", r"\*").replace("|", r"\|")


def section(name: str, command: Any) -> str:
    """One command: usage, meaning, arguments and options."""
    arguments, options = [], []
    for parameter in command.params:
        described = plain(getattr(parameter, "help", ""))
        metavar = parameter.metavar or ""
        if parameter.param_type_name == "argument":
            arguments.append((f"``{metavar or parameter.name.upper()}``", described))
        elif "--help" not in parameter.opts:
            names = ", ".join(parameter.opts) + (f" {metavar}" if metavar else "")
            needed = " Required." if parameter.required else ""
            options.append((f"``{names}``", described + needed))
    usage = " ".join(["satqkd", name, *(cell.strip("`") for cell, _ in arguments), "[OPTIONS]" if options else ""])
    text = heading(f"satqkd {name}", "-") + f".. code-block:: console\n\n   $ {usage.strip()}\n\n" + plain(command.help)
    rows = arguments + options
    return text + "\n\n" + (list_table(("argument or option", "meaning"), rows, (35, 65)) if rows else "")


def flat(commands: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Commands with their full names, those of a group in its place."""
    found = []
    for name, command in commands.items():
        inner = getattr(command, "commands", None)
        found += flat(inner, f"{prefix}{name} ") if inner else [(prefix + name, command)]
    return found


def render() -> str:
    """The page."""
    commands = typer.main.get_command(application).commands
    text = heading("Command line")
    text += (
        "Exit codes: 0 done, 1 ran but a requirement was not met, 2 bad input (one line on standard error says what, "
        "where and what is allowed).\n\n"
    )
    return text + "".join(section(name, command) for name, command in flat(commands))


def setup(app: Any) -> dict[str, bool]:
    """Write the page before Sphinx reads the sources."""
    app.connect("builder-inited", lambda app: write_page(app.srcdir, "command_line.rst", render()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
