"""Options that several commands share: one for each field of a selection, and how a bucket is reached.

``@with_options(...)`` adds them to a command, which gets them as one mapping of what was given.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scanner_tasks.core.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Listed = list[str] | None

BaseJob = Annotated[
    str | None,
    typer.Option(help="A finished job's id, or last: objects that are as it left them are not read again."),
]

#: Field of core/selection.py → type and help of its option.
SELECTION: Final[Mapping[str, tuple[Any, str]]] = {
    "include_prefixes": (Listed, "Only keys that begin with one of these; give it again for more."),
    "exclude_prefixes": (Listed, "No keys that begin with one of these."),
    "include_keys": (Listed, "Only keys that match such a glob as a whole: * any characters, / too; ? one; [a-z]."),
    "exclude_keys": (Listed, "No keys that match such a glob."),
    "include_regexes": (Listed, "Only keys in which this RE2 pattern is found."),
    "exclude_regexes": (Listed, "No keys in which this RE2 pattern is found."),
    "min_size_bytes": (str | None, "Only objects of at least this size: bytes, or such as 10MB."),
    "max_size_bytes": (str | None, "Only objects of at most this size."),
    "modified_after": (str | None, "Only objects modified since then: 2026-11-01, or an age such as 30d, 12h."),
    "modified_before": (str | None, "Only objects modified before then."),
    "storage_classes": (Listed, "Only these storage classes, such as STANDARD_IA."),
    "exclude_storage_classes": (Listed, "Not these storage classes."),
    "extensions": (Listed, "Only keys with this suffix, such as csv or csv.gz."),
    "exclude_extensions": (Listed, "No keys with this suffix."),
    "kinds": (Listed, f"Only what names promise to be {', '.join(KINDS[:-1])} or {KINDS[-1]}."),
    "exclude_kinds": (Listed, "Not what names promise to be of this kind."),
    "include_tags": (Listed, "Only objects with this tag: NAME=VALUE, or NAME for any value; asked before the read."),
    "exclude_tags": (Listed, "No objects with this tag."),
    "sample_percent": (float | None, "Only so many percent of all these, by a hash of their keys."),
    "sample_of": (str | None, "What the percentage is of: objects or bytes."),
    "sample_seed": (str | None, "Another seed draws another sample; the same one the same."),
    "limit_objects": (int | None, "Stop listing when so many objects are chosen."),
    "limit_bytes": (str | None, "Stop listing before more bytes are chosen, such as 1TB."),
    "versions": (str | None, "Which versions of each key: current (default), all or noncurrent."),
}
#: Field of core/budget.py → type and help of its option.
BUDGET: Final[Mapping[str, tuple[Any, str]]] = {
    "budget_dollars": (float | None, "Pause the job when it has cost so much, at list prices."),
    "budget_objects": (int | None, "Pause it when so many objects were read."),
    "budget_bytes": (str | None, "Pause it when so many bytes were read, such as 1TB."),
}
#: Field of core/access.py → type and help of its option.
ACCESS: Final[Mapping[str, tuple[Any, str]]] = {
    "role_arn": (str | None, "Role to assume, on S3SCAN_ALLOWED_ROLES."),
    "external_id": (str | None, "What that role's trust policy asks for."),
    "endpoint_url": (str | None, "Another S3, on S3SCAN_ALLOWED_ENDPOINTS."),
    "region": (str | None, "The bucket's Region; without it S3's redirects tell."),
    "requester_pays": (bool, "We pay for reading it."),
    "anonymous": (bool, "Unsigned, for a public bucket."),
}


def with_options(**groups: Mapping[str, tuple[Any, str]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A command whose parameter of each group's name is a mapping of the options that were given."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name not in groups]
        last = [parameter for parameter in own if parameter.name == "as_json"]
        added = [_parameter(name, *told) for group in groups.values() for name, told in group.items()]

        @functools.wraps(command)
        def run(**given: Any) -> Any:
            for group, fields in groups.items():
                values = {name: given.pop(name) for name in fields}
                given[group] = {name: value for name, value in values.items() if value not in (None, [], False)}
            return command(**given)

        parameters = [*(parameter for parameter in own if parameter not in last), *added, *last]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _parameter(name: str, kind: Any, help_text: str) -> inspect.Parameter:
    # A flag's own name keeps typer from adding its opposite.
    names = (f"--{name.replace('_', '-')}",) if kind is bool else ()
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=False if kind is bool else None,
        annotation=Annotated[kind, typer.Option(*names, help=help_text)],
    )


def budget_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The budget's parts by the names that core/budget.py has."""
    return {name.removeprefix("budget_"): value for name, value in (given or {}).items()}
