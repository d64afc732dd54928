"""``hub attempt``: what was sent and has no answer, and the word of a person who has looked at the target."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.say import Json, as_json, line, table, when

app = typer.Typer(help="What was sent to a target and has no answer yet.", no_args_is_help=True)


@app.command("list")
def list_(json: Json = False) -> None:
    """Every call without an answer: who settles it, and since when; exit code 3 where one waits for a person.

    Most settle themselves: they are repeated under their own key, or read back. Only a target that offers
    neither leaves it to a person.

    Example: hub attempt list
    """
    from hub.cli.place import engine
    from hub.journal import attempts

    with engine() as hub:
        found = attempts.open_ones(hub.journal)
    if json:
        as_json({"attempts": found})
    else:
        columns = ["attempt", "system", "object", "keys", "since", "times sent", "settled by", "because"]
        rows = [
            [
                a["id"],
                a["target"],
                a["object"],
                _some(a["keys"]),
                when(a["created_at"]),
                a["sends"],
                _by(a),
                a["answer"],
            ]
            for a in found
        ]
        table("Sent without an answer", columns, rows)
    raise typer.Exit(3 if any(a["waits_for_person"] for a in found) else 0)


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more


def _by(attempt: dict[str, object]) -> str:
    """Who settles it, and when."""
    from hub.journal.attempts import PERSON, TARGET

    if attempt["owner"] == PERSON:
        return "you: hub attempt settle"
    asker = "its target is asked" if attempt["owner"] == TARGET else "the hub"
    return f"{asker}, {when(attempt['until'])}"


@app.command()
def settle(
    number: Annotated[int, typer.Argument(help="The attempt's number in `hub attempt list`.")],
    carried_out: Annotated[
        bool | None,
        typer.Option(
            "--carried-out/--not-carried-out", help="Whether the target has done it. If not, it is sent again."
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="What was seen at the target; kept with the decision.")] = "",
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Only this key of the attempt; may be given several times.")
    ] = None,
    who: Annotated[str | None, typer.Option("--as", help="Who says so; the user of this machine by default.")] = None,
    json: Json = False,
) -> None:
    """Say what became of a call that its target can neither be asked for nor be sent again.

    Look at the target first. What you say is written down with your name and reason.

    Example: hub attempt settle 812 --carried-out --why "the order is in their inbox as 4711"
    """
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.flow import by_person
    from hub.who import user

    if carried_out is None:
        raise ConfigError("say what you saw: --carried-out or --not-carried-out")
    with engine() as hub:
        outcome = by_person.settle(
            hub, number, carried_out=carried_out, who=who or user(), why=why, keys=key or ()
        )  # fmt: skip
    as_json({**outcome.counts, "run": outcome.run}) if json else line(outcome.sentence)
