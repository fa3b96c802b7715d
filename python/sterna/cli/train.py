"""`sterna train`: the options of a training run as command-line options."""

from __future__ import annotations

from inspect import Parameter, Signature, get_annotations
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo

from sterna.train import TrainingStoppedError, distributed, load_options
from sterna.train import train as run
from sterna.train.options import TrainOptions, parse
from sterna.train.report import summary_page

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def train(**given: object) -> None:
    """Train a ternary detector or classifier and export its integer graph.

    Ctrl-C or SIGTERM stops after the current step and keeps a checkpoint, from which --resume continues.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen.get("resume"):
        # Options that are not given again stay as they were when the run was started.
        earlier = load_options(Path(str(chosen["output"])))
        chosen = earlier.model_dump() | chosen
    try:
        result = run(parse(**chosen))
    except TrainingStoppedError as stopped:
        _say(str(stopped))
        raise
    _say(f"Graph: {result.graph}\nReport: {result.graph.with_name(summary_page.NAME)}")


def _say(text: str) -> None:
    """Print `text`, once if there are several processes."""
    if distributed.leads():
        print(text)


def _parameter(name: str, field: FieldInfo) -> Parameter:
    """A keyword parameter for an option; None if it is not given, so that --resume knows what is given anew."""
    required = field.is_required()
    default: Any = Parameter.empty if required else None
    show = str(field.default) if field.default not in (None, False, (), {}, ...) and not required else False
    kind: Any = str if get_origin(field.annotation) in (tuple, dict) else field.annotation
    if not required:
        kind = kind | None
    help_text = field.description or name.replace("_", " ")
    option = typer.Option(help=help_text, show_default=show, rich_help_panel=_panel(name))
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _panel(name: str) -> str:
    """The title of an option's group: the first line of its class."""
    owner = next(kind for kind in TrainOptions.__mro__ if name in get_annotations(kind))
    return (owner.__doc__ or "").splitlines()[0].removesuffix(".")


_PARAMETERS = [_parameter(name, field) for name, field in TrainOptions.model_fields.items()]
train.__signature__ = Signature(_PARAMETERS)  # type: ignore[attr-defined]
train.__annotations__ = {parameter.name: parameter.annotation for parameter in _PARAMETERS}
app.command()(train)
