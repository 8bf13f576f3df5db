"""What a transaction raises: worth another try or not, and never a word of what was in the statement."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import StatementRefused, Unavailable
from scanner_tasks.store.engine import execute, insert_rows, make_engine, transaction

HEAD, ROW = "insert into object_failures (job_no, batch_no, position, outcome, detail) values ", "(%s, %s, %s, %s, %s)"


def bad_rows(connection) -> None:
    insert_rows(connection, HEAD, ROW, [("hidden-key", 0, 0, 0, "hidden-key")])


def bad_statement(connection) -> None:
    execute(connection, "select cast(:key as int)", key="hidden-key")


@pytest.mark.parametrize("act", [bad_rows, bad_statement])
def test_refused_statement_tells_its_sqlstate_and_nothing_of_its_values(engine: Engine, act) -> None:
    with pytest.raises(StatementRefused) as caught, transaction(engine) as connection:
        act(connection)
    assert "22P02" in str(caught.value)
    assert "hidden-key" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("many", [False, True])
def test_connection_lost_in_a_statement_is_worth_another_try(database_url: str, engine: Engine, many: bool) -> None:
    ours = make_engine(database_url, pool_size=1)

    def lose() -> None:
        with transaction(ours) as connection:
            pid = execute(connection, "select pg_backend_pid()").scalar_one()
            with transaction(engine) as other:
                execute(other, "select pg_terminate_backend(:pid, 5000)", pid=pid)
            if many:
                insert_rows(connection, HEAD, ROW, [(1, 0, 0, 0, "hidden-key")])
            else:
                execute(connection, "select :key", key="hidden-key")

    with pytest.raises(Unavailable) as caught:
        lose()
    assert "hidden-key" not in "".join(traceback.format_exception(caught.value))
    # The pool has thrown the dead connection away.
    with transaction(ours) as connection:
        assert execute(connection, "select 1").scalar_one() == 1
    ours.dispose()


def test_rows_are_inserted_as_given_whatever_they_hold(engine: Engine) -> None:
    values = ["%s %% %(x)s", "'", "\\", ":name", "é\U0001f600"]
    with engine.connect() as connection:
        execute(connection, "create temp table kept (n int, value text)")
        insert_rows(connection, "insert into kept values ", "(%s, %s)", list(enumerate(values)))
        assert list(execute(connection, "select value from kept order by n").scalars()) == values
        connection.rollback()
