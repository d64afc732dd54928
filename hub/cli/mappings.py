"""``hub mapping``: mappings and the cases beside them."""

from __future__ import annotations

import typer

from hub.cli.say import Json, as_json, line

app = typer.Typer(help="Mappings, and the cases that stand beside them.", no_args_is_help=True)


@app.command("test")
def run_the_cases(json: Json = False) -> None:
    """Run every case of every mapping, as `make test` does; needs no database and no system."""
    from hub.cli.place import site
    from hub.mapping import load_folder, run_cases

    root = site().project / "mappings"
    results = [
        r
        for folder in sorted(p for p in root.iterdir() if p.is_dir())
        for m in load_folder(folder)
        for r in run_cases(m)
    ]
    failed = [r for r in results if not r.ok]
    if json:
        as_json({"cases": len(results), "failed": [{"case": r.name, "detail": r.message} for r in failed]})
    else:
        for result in failed:
            line(f"[red]✗[/red] {result.name}: {result.message}")
        line(f"{len(results)} cases, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)
