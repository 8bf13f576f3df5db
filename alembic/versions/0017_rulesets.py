"""Rulesets in parts, and what a job with other rules took over from its base."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

# The running release knows neither; its jobs keep no ruleset, so that under other rules nothing is taken over of them.
UPGRADE = """
alter table jobs add column if not exists base_note text;       -- what was done about a change of rules
create table if not exists rulesets (
  ruleset_hash text primary key,
  code text not null,                                           -- hash of what reads and detects
  budgets jsonb not null,
  used_at timestamptz not null default now()                    -- when the last job began with it
);
create table if not exists ruleset_rules (
  ruleset_hash text not null references rulesets on delete cascade,
  rule_id text collate "C" not null,
  looks_for text not null,                                      -- hash of what decides which values it takes
  yields boolean not null,
  by_chance boolean not null,
  is_on boolean not null,
  severities jsonb not null,                                    -- [[from so many occurrences, severity], …]
  threshold text not null,
  allow text[] not null,                                        -- digests of its allow lists
  mask text not null,
  primary key (ruleset_hash, rule_id)
);
"""


def upgrade() -> None:
    """A column without default, and two small tables: nothing is rewritten."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: jobs under other rules scan everything again."""
    op.execute("drop table ruleset_rules")
    op.execute("drop table rulesets")
    op.execute("alter table jobs drop column base_note")
