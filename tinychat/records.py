"""From JSON back to dataclasses, believing nothing: every value must be what the field's annotation says."""

from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from tinychat.errors import ConfigError

Record = TypeVar("Record")


def from_json(cls: type[Record], value: object) -> Record:
    """Build a dataclass from what `dataclasses.asdict` and JSON made of it; else raise ConfigError.

    Understands int, float, str, bool, None, Literal, and lists, tuples, dicts and dataclasses of them.
    """
    return _read(cls, value, cls.__name__)  # type: ignore[no-any-return]


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_record(kind, value, where)
    if origin is UnionType:
        return _read_union(arguments, value, where)
    if origin is Literal and any(type(value) is type(a) and value == a for a in arguments):
        return value
    if origin in (list, tuple) and isinstance(value, list | tuple):
        return origin(_read(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) in (int, float) and isfinite(value):
        return value
    if origin is None and kind is not float and type(value) is kind:
        return value
    raise ConfigError(f"{where} cannot be {str(value)[:40]!r}")


def _read_union(kinds: tuple[Any, ...], value: object, where: str) -> object:
    if value is None and NoneType in kinds:
        return None
    (kind,) = (kind for kind in kinds if kind is not NoneType)
    return _read(kind, value, where)


def _read_record(cls: Any, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} cannot be {str(value)[:40]!r}")
    kinds = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}
    if unknown := sorted(str(name) for name in value.keys() - known.keys()):
        raise ConfigError(f"{where} has an unknown field: {', '.join(unknown)[:80]}")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{where}.{name} is missing")
    return cls(**{name: _read(kinds[name], item, f"{where}.{name}") for name, item in value.items()})
