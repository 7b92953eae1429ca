"""``mrviewer models``: the person's own models, and what can be done with their files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, print_table, say
from mrviewer.methods.own import (
    OwnModel,
    export_model,
    import_model,
    own_models,
    own_models_folder,
    removed_model_names,
    restore_model,
)

__all__ = ["models"]

Name = Annotated[str, typer.Argument(help="Name of one of your own models.", metavar="NAME")]

models = typer.Typer(help="List your own models, and export, import, remove or restore one.")


@models.callback(invoke_without_command=True)
def _list(context: typer.Context, as_json: AsJson = False) -> None:
    """List your own models, and export, import, remove or restore one."""
    if context.invoked_subcommand:
        return
    found, removed = own_models(), removed_model_names()
    if as_json:
        print_json([_record(model) for model in found])
        return
    table = Table("name", "parent", "method", "database", "made", "validation")
    for model in found:
        record = _record(model)
        table.add_row(
            model.name,
            model.parent,
            model.method,
            _or_dash(record["database"]),
            _or_dash(record["made"]),
            _or_dash(record["verdict"]),
        )
    print_table(table, to_stdout=True)
    if not found:
        say(f"no model of your own yet; `mrviewer finetune` makes one, in {own_models_folder()}")
    if removed:
        say(f"removed, and there to be restored: {', '.join(removed)}")


@models.command("export")
def _export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="File to write.", metavar="FILE.safetensors")],
    subject_names: Annotated[
        bool, typer.Option("--subject-names", help="Let the names of the subjects travel with it.")
    ] = False,
) -> None:
    """Write a model as one file for another installation, without the names of the subjects."""
    say(f"wrote {export_model(name, file, subject_names=subject_names)}")


@models.command("import")
def _import(
    file: Annotated[Path, typer.Argument(help="What export wrote, or weights.safetensors of a run.", metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="What to call it; by default its own name.")] = None,
) -> None:
    """Put a model from a file into the list of methods."""
    say(f"{import_model(file, name).card.name} stands among the methods now")


@models.command("remove")
def _remove(name: Name) -> None:
    """Take a model out of the list of methods; `mrviewer models restore` puts it back."""
    from mrviewer.finetuning import remove_model

    remove_model(name)
    say(f"removed {name}; `mrviewer models restore {name}` puts it back")


@models.command("restore")
def _restore(name: Name) -> None:
    """Put back the model of this name that was removed last."""
    restore_model(name)
    say(f"{name} stands among the methods again")


def _record(model: OwnModel) -> dict[str, object]:
    """What ``models --json`` promises of a model."""
    lineage = model.lineage
    return {
        "name": model.name,
        "parent": model.parent,
        "method": model.method,
        "file": model.path.name,
        "database": lineage.get("database"),
        "made": lineage.get("made"),
        "verdict": lineage.get("verdict"),
        "lineage": lineage,
    }


def _or_dash(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value) if value else "-"
