"""The desk's database of an earlier version, brought to this one's in place."""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text


def note_consumers(engine: Engine) -> None:
    """Give the table of people the key by which each came; nothing where it has it.

    What the addresses of their grades say is taken over; empty where there is none.
    """
    if any(one["name"] == "consumer" for one in inspect(engine).get_columns("people")):
        return
    with engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE people ADD COLUMN consumer VARCHAR DEFAULT '' NOT NULL")
        )
        connection.execute(
            text(
                "UPDATE people SET consumer = COALESCE((SELECT arrivals.consumer FROM arrivals"
                " WHERE arrivals.username = people.username AND arrivals.course = people.course"
                " ORDER BY arrivals.at DESC LIMIT 1), '')"
            )
        )


def forget_seats(engine: Engine) -> None:
    """Remove the table that said where each server's token was used first: the hub says it now."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS seats"))
