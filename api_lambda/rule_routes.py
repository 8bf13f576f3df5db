"""The rules that jobs look for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, ConfigDict, Field

from api_lambda.common import PAGE_DEFAULT, Cursor, Limit, answers, loaded_rules, plain_text, refuse_other_parameters
from scanner_tasks.core.errors import RuleNotFound

if TYPE_CHECKING:
    from scanner_tasks.detect.ruleset import Rule as CoreRule

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

RuleId = Annotated[str, Path(max_length=200, description="Its id.", examples=["us.ssn"])]


class Rule(BaseModel):
    """A detector as data; docs/custom-rules.md explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(examples=["us.ssn"])
    name: str
    category: str = Field(examples=["national_id"])
    severity: str = Field(examples=["high"])
    confidence: str = Field(description="Of a match without a keyword near it.")
    pattern: str
    keywords: list[str]
    proximity: int
    proximity_after: int
    keyword_required: bool
    keyword_confidence: str | None
    against: list[str]
    yields: bool
    literal: str
    cells: str
    ignore: list[str]
    severity_by_count: list[str] = Field(examples=[["critical from 100"]])
    threshold: str | None
    entropy: float
    contains: list[str]
    paths: list[str]
    allow: list[str]
    enabled: bool
    validator: str
    normaliser: str
    mask: str
    references: list[str]
    examples: list[str] = Field(description="Made up, or published test values.")
    negative_examples: list[str]
    source: str = Field(description="built-in, or the pack that it comes from.", examples=["built-in"])

    @classmethod
    def of(cls, rule: CoreRule, source: str) -> Rule:
        """As the ruleset has it."""
        from scanner_tasks.rules.told import told  # noqa: PLC0415 (the API starts without the engine)

        return cls(**told(rule), source=source)


class Rules(BaseModel):
    """A page of rules, by id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: list[Rule]
    disabled: list[str] = Field(description="Ids of rules that an override turned off.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


@router.get(
    "/rules",
    summary="The rules that jobs look for",
    description="Built-in ones and those of the packs in S3SCAN_RULES, as overrides leave them, by id.",
    tags=["detection"],
    responses=answers(Rules, HTTPStatus.OK, "A page of rules."),
)
def list_rules(
    category: Annotated[str | None, Query(max_length=100, description="Only of this category.")] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Rules:
    """GET /rules."""
    refuse_other_parameters(router.current_event.query_string_parameters, "category", "limit", "cursor")
    loaded, after = loaded_rules(), plain_text(cursor, "cursor") or ""
    behind = sorted(
        (r for r in loaded.ruleset.rules if r.enabled and r.id > after and category in {None, r.category}),
        key=lambda rule: rule.id,
    )
    shown = [Rule.of(rule, loaded.origins[rule.id]) for rule in behind[:limit]]
    return Rules(rules=shown, disabled=list(loaded.disabled), next_cursor=shown[-1].id if len(behind) > limit else None)


@router.get(
    "/rules/<rule_id>",
    summary="One rule",
    description="Its pattern, keywords, checks and examples.",
    tags=["detection"],
    responses=answers(Rule, HTTPStatus.OK, "The rule.", HTTPStatus.NOT_FOUND),
)
def show_rule(rule_id: RuleId) -> Rule:
    """GET /rules/{rule_id}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    loaded, wanted = loaded_rules(), plain_text(rule_id, "rule_id")
    rule = next((rule for rule in loaded.ruleset.rules if rule.id == wanted), None)
    if rule is None:
        raise RuleNotFound(rule_id)
    return Rule.of(rule, loaded.origins[rule.id])
