"""Page of all the fields of a scenario file, made from the pydantic models."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from generated import heading, list_table, write_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from satqkd.scenario.files import EmbeddedFile
from satqkd.scenario.model import Scenario
from satqkd.scenario.units import Quantity


def flat(annotation: Any) -> list[Any]:
    """Members of a union, at any depth; one annotation for anything else."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner = get_args(annotation)[0]
        return flat(inner) if get_origin(inner) in (Union, types.UnionType) else [annotation]
    if origin in (Union, types.UnionType):
        return [part for argument in get_args(annotation) for part in flat(argument)]
    return [annotation]


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """Models that a field can hold, tables of a TOML file."""
    if get_origin(annotation) is tuple:
        return [model for argument in get_args(annotation) for model in models_of(argument)]
    found = []
    for part in flat(annotation):
        kind = get_args(part)[0] if get_origin(part) is Annotated else part
        if get_origin(kind) is tuple:
            found += models_of(kind)
        elif isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not EmbeddedFile:
            found.append(kind)
    return found


def words(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[str, str]:
    """Unit (or kind of value) and what is allowed."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return words(inner, (*metadata, *more))
    quantity = next((item for item in metadata if isinstance(item, Quantity)), None)
    if quantity:
        unit = quantity.unit or ("1, or dB" if quantity.dimension == "transmittance" else "1")
        return unit, quantity.allowed
    if annotation is type(None):
        return "", ""
    if get_origin(annotation) is Literal:
        return "text", " or ".join(f"``{value}``" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        inner = [argument for argument in get_args(annotation) if argument is not Ellipsis]
        parts = list(dict.fromkeys(words(part) for part in inner))
        count = "any number" if Ellipsis in get_args(annotation) else str(len(inner))
        return "list of " + ", ".join(unit for unit, _ in parts), f"{count}; each " + "; ".join(a for _, a in parts)
    if get_origin(annotation) in (Union, types.UnionType):
        members = [part for part in flat(annotation) if part is not type(None)]
        # the limits of an optional value stand at the field
        parts = [words(part, metadata if len(members) == 1 else ()) for part in members]
        return (
            " or ".join(dict.fromkeys(unit for unit, _ in parts)),
            "; or ".join(dict.fromkeys(allowed for _, allowed in parts if allowed)),
        )
    if annotation is EmbeddedFile:
        return "path", "relative to the scenario file, or ``bundled:NAME``"
    limits = {
        "ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}",
        "min_length": "length at least {}", "max_length": "length at most {}",
    }  # fmt: skip
    allowed = [
        text.format(getattr(item, key)) for item in metadata for key, text in limits.items() if hasattr(item, key)
    ]
    names = {"str": "text", "int": "whole number", "bool": "true or false", "float": "number", "datetime": "UTC time"}
    return names.get(getattr(annotation, "__name__", ""), str(annotation)), " and ".join(allowed)


def default(field: FieldInfo) -> str:
    """The default as it would be written."""
    if field.is_required() or field.default is PydanticUndefined:
        return "required"
    value = field.default
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"``{str(value).lower()}``"
    return f"``{value:g}``" if isinstance(value, float) else f"``{value}``"


def rows(model: type[BaseModel], prefix: str) -> list[tuple[str, ...]]:
    """One row per value of a table; nested tables have their own."""
    found = []
    for name, field in model.model_fields.items():
        if models_of(field.annotation):
            continue
        unit, allowed = words(field.annotation, tuple(field.metadata))
        found.append((f"``{prefix}{name}``", unit, default(field), allowed, field.description or ""))
    return found


def tags(model: type[BaseModel]) -> list[tuple[str, str]]:
    """Key and value by which a table says which of several kinds it is."""
    return [
        (key, get_args(field.annotation)[0])
        for key, field in model.model_fields.items()
        if key in ("kind", "model") and get_origin(field.annotation) is Literal
    ]


def tables(model: type[BaseModel], path: str, note: str = "") -> list[str]:
    """Sections of a model and of every table in it."""
    found = []
    own = rows(model, f"{path}." if path else "")
    if own:
        tag = next((f'{key} = "{value}"' for key, value in tags(model)), "")
        title = (path or "Top of the file") + (f", {tag}" if tag else "")
        summary = (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ") + note
        header = ("key", "unit", "default", "allowed", "meaning")
        found.append(heading(title, "-") + summary + "\n\n" + list_table(header, own, (26, 10, 12, 24, 28)))
    for name, field in model.model_fields.items():
        several = get_origin(field.annotation) is tuple
        inner = f"{path}.{name}" if path else name
        for part in models_of(field.annotation):
            about = "" if field.is_required() else " This table may be left out."
            about += f" ({field.description})" if field.description else ""
            found += tables(part, f"{inner}[]" if several else inner, about)
    return found


def render() -> str:
    """The page."""
    text = heading("Every field")
    text += (
        "Made from the models that read scenario files. A bare number has the unit given here; text may use any unit "
        'of the same kind (``"0.85 um"`` for ``"850 nm"``). A transmittance may be written as a loss in dB. ``[]`` '
        "marks a list of tables (``[[stations]]`` in TOML). A key that is not listed is an error.\n\n"
    )
    return text + "".join(tables(Scenario, ""))


def setup(app: Any) -> dict[str, bool]:
    """Write the page before Sphinx reads the sources."""
    app.connect("builder-inited", lambda app: write_page(app.srcdir, "scenario.rst", render()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
