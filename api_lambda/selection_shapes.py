"""A selection as a model: what OpenAPI shows is what is taken."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from scanner_tasks.core.selection_rules import MAX_ENTRIES

_Texts = Annotated[list[str] | None, Field(max_length=MAX_ENTRIES)]
_Size = int | str | None


class Selection(BaseModel):
    """Which objects are scanned: those that satisfy every field given; of a list one entry is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    include_prefixes: _Texts = Field(default=None, description="Keys begin with one of these.")
    exclude_prefixes: _Texts = Field(default=None, description="Keys begin with none of these.")
    include_keys: _Texts = Field(
        default=None,
        description="Globs of which one matches the whole key: `*` any characters, `/` too; `?` one; `[a-z]`.",
        examples=[["*.csv"]],
    )
    exclude_keys: _Texts = Field(default=None, description="Globs of which none matches the whole key.")
    include_regexes: _Texts = Field(default=None, description="RE2 patterns of which one is found in the key.")
    exclude_regexes: _Texts = Field(default=None, description="RE2 patterns of which none is found in the key.")
    min_size_bytes: _Size = Field(default=None, description="At least so large: bytes, or such as 10MB.")
    max_size_bytes: _Size = Field(default=None, description="At most so large.", examples=["1GB"])
    modified_after: str | None = Field(
        default=None, description="Modified since then: ISO 8601 (UTC), a day, or an age such as 30d.", examples=["30d"]
    )
    modified_before: str | None = Field(default=None, description="Modified before then.")
    storage_classes: _Texts = Field(default=None, description="One of these.", examples=[["STANDARD", "STANDARD_IA"]])
    exclude_storage_classes: _Texts = Field(default=None, description="None of these.")
    extensions: _Texts = Field(default=None, description="Keys end in one of these, as csv or csv.gz.")
    exclude_extensions: _Texts = Field(default=None, description="Keys end in none of these.")
    kinds: _Texts = Field(
        default=None, description="What the name promises: table, text, document … (docs/selection.md)."
    )
    exclude_kinds: _Texts = Field(default=None, description="What the name does not promise.")
    include_tags: _Texts = Field(
        default=None,
        description="Objects with one of these tags: `NAME=VALUE`, or `NAME` for any value. Asked for each object.",
        examples=[["team=payments"]],
    )
    exclude_tags: _Texts = Field(default=None, description="Objects with none of these tags.")
    sample_percent: float | None = Field(
        default=None, description="Only so many percent of all these, by a hash of seed and key.", examples=[5]
    )
    sample_of: str | None = Field(default=None, description="What the percentage is of: objects or bytes.")
    sample_seed: str | None = Field(default=None, description="The same seed draws the same sample.")
    limit_objects: int | None = Field(default=None, description="The listing ends when so many objects are chosen.")
    limit_bytes: _Size = Field(default=None, description="The listing ends before more bytes are chosen.")
    versions: str | None = Field(
        default=None,
        description="Which versions of each key are listed: current (the default), all or noncurrent.",
        examples=["all"],
    )


class Budget(BaseModel):
    """When the job pauses itself: whichever comes first, looked at each minute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: float | None = Field(default=None, description="Of compute and requests, at list prices.", examples=[5])
    objects: int | None = Field(default=None, description="Objects that were read.")
    bytes: int | str | None = Field(default=None, description="Bytes read: a number, or such as 1TB.")


class ResumeRequest(BaseModel):
    """How a paused job goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: Budget | None = Field(default=None, description="Instead of the one that it has.")
