"""From a preset's name or a TOML file to a :class:`~satqkd.scenario.model.Scenario`, with errors that help."""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from satqkd.errors import InputError
from satqkd.scenario.model import Scenario
from satqkd.scenario.units import PROBLEM

__all__ = ["load_scenario", "parse_scenario", "preset_names", "preset_text", "validate_scenario", "with_values"]

_PRESETS = resources.files("satqkd.scenario") / "presets"


def preset_names() -> tuple[str, ...]:
    """Names of the scenarios that come with the package."""
    return tuple(sorted(entry.name[:-5] for entry in _PRESETS.iterdir() if entry.name.endswith(".toml")))


def preset_text(name: str) -> str:
    """TOML of a preset, to copy and change; raises :class:`~satqkd.errors.InputError` for an unknown name."""
    if name not in preset_names():
        near = difflib.get_close_matches(name, preset_names(), 1, 0.4)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise InputError(f'no preset "{name}": known are {", ".join(preset_names())}{hint}')
    return (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a preset (see :func:`preset_names`) or path of a TOML file. Files that the scenario names are
        read relative to it.

    Returns
    -------
    Scenario
        Validated, frozen, complete in itself.

    Raises
    ------
    InputError
        In one line: file, path in the file, value, what is allowed.

    Examples
    --------
    >>> load_scenario("micius-china-week").stations[0].name
    'Shanghai'
    """
    path = Path(name_or_path)
    if str(name_or_path) in preset_names():
        return parse_scenario(preset_text(str(name_or_path)), source=f"preset {name_or_path}", folder=Path())
    if path.suffix != ".toml" and not path.exists():
        preset_text(str(name_or_path))  # raises with the nearest name
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a UTF-8 text file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_scenario(text, source=str(path), folder=path.parent)


def parse_scenario(text: str, *, source: str = "scenario", folder: Path = Path()) -> Scenario:
    """Validate the text of a scenario; ``source`` names it in errors, ``folder`` is where its files are."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from None
    return validate_scenario(data, source=source, folder=folder)


def validate_scenario(data: dict[str, Any], *, source: str = "scenario", folder: Path = Path()) -> Scenario:
    """Validate plain data, such as :meth:`Scenario.to_dict` gives."""
    try:
        return Scenario.model_validate(data, context={"folder": str(folder)})
    except ValidationError as error:
        # A misspelt key also makes the right one missing: the misspelling is what helps. A value of several allowed
        # kinds is reported once per kind: one of these is enough, the list of names if there is one.
        order = {"extra_forbidden": 0, "literal_error": 1, "tuple_type": 3}
        found = sorted(error.errors(include_url=False), key=lambda problem: order.get(problem["type"], 2))
        by_place = {_locate(problem["loc"])[0]: _describe(problem) for problem in reversed(found)}
        problems = list(reversed(by_place.values()))
        more = f" (and {len(problems) - 1} more: {'; '.join(problems[1:3])})" if len(problems) > 1 else ""
        raise InputError(f"{source}: {problems[0]}{more}") from None


def with_values(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Scenario with some values replaced, as if its file had been edited.

    Parameters
    ----------
    scenario : Scenario
        What to start from.
    changes : mapping
        Values by dotted name, such as ``{"receiver.aperture": "2.4 m"}``; members of lists by number from 0; None
        leaves a value out.

    Returns
    -------
    Scenario
        Checked like a file.

    Raises
    ------
    InputError
        If there is no place of that name, or the scenario is not valid any more.

    Examples
    --------
    >>> wide = with_values(load_scenario("micius-zenith"), {"study.seed": 5})
    >>> wide.study.seed
    5
    """
    data = copy.deepcopy(scenario.to_dict())
    for name, value in changes.items():
        *parents, last = name.split(".")
        place: Any = data
        try:
            for part in parents:
                place = place[int(part) if isinstance(place, list) else part]
        except (KeyError, IndexError, ValueError):
            place = None
        if not isinstance(place, dict):
            raise InputError(f"{scenario.name}: no place named {name}")
        place[last] = value
        if value is None:
            del place[last]
    return validate_scenario(data, source=scenario.name)


def _describe(problem: Any) -> str:
    where, model = _locate(problem["loc"])
    kind, value = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        key = where.rpartition(".")[2]
        known = list(model.model_fields) if model else []
        near = difflib.get_close_matches(key, known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"
        return f"{where}: unknown key; {hint}"
    if kind == "missing":
        return f"{where}: is missing"
    if kind in ("union_tag_invalid", "literal_error"):
        allowed = problem["ctx"].get("expected_tags") or problem["ctx"].get("expected")
        tag = problem["ctx"].get("tag", value)
        names = [part.strip(" '") for part in allowed.replace(" or ", ", ").split(",")]
        near = difflib.get_close_matches(str(tag), names, 1, 0.5)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        key = problem["ctx"].get("discriminator", "").strip("'")
        return f'{where}{"." + key if key else ""}: "{tag}" is not allowed: allowed are {", ".join(names)}{hint}'
    if kind == "union_tag_not_found":
        return f"{where}.{problem['ctx']['discriminator'].strip(chr(39))}: is missing"
    if kind == PROBLEM:
        return f"{where}: {problem['msg']}" if where else str(problem["msg"])
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    shown = f" (given: {value!r})" if isinstance(value, str | int | float) else ""
    return f"{where}: {message}{shown}" if where else message


def _locate(location: tuple[Any, ...]) -> tuple[str, type[BaseModel] | None]:
    """Path as a reader of the TOML sees it (tags of unions left out), and the model that holds the last key."""
    parts: list[str] = []
    model: type[BaseModel] | None = Scenario
    annotation: Any = Scenario
    for step in location:
        if isinstance(step, int):
            if parts:
                parts[-1] += f"[{step + 1}]"
            continue
        models = _models_in(annotation)
        tagged = [m for m in models if step in _tags(m)]
        if tagged and not any(step in m.model_fields for m in models):
            model = annotation = tagged[0]
            continue
        holder = next((m for m in models if step in m.model_fields), None)
        if holder is None and models and models != [model]:
            model = models[0]
        if holder is not None:
            model, annotation = holder, holder.model_fields[step].annotation
        elif not models:
            continue  # the name of a union's branch, not a key of the file
        parts.append(str(step))
    return ".".join(parts), model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    return tuple(
        value
        for key in ("kind", "model")
        if key in model.model_fields
        for value in get_args(model.model_fields[key].annotation)
    )
