"""Show what generate and start would write and run, without doing it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from smartensemble.command import Command
from smartensemble.databases.orchestrator import Orchestrator, ignored_options, placement_of
from smartensemble.errors import printable
from smartensemble.model import Model, attached
from smartensemble.runtime.input_files import Renderer
from smartensemble.runtime.jobs.batch import Batch
from smartensemble.runtime.jobs.this_machine import batch_notes, member_notes
from smartensemble.settings.effect import notes


def preview(
    experiment: str,
    databases: Sequence[Orchestrator],
    models: Sequence[Model],
    batches: Sequence[Batch],
    renderer: Renderer,
    command: Callable[[Model], Command],
) -> str:
    """Each batch script, and each member's directory, command, environment and input files."""
    lines = [f"experiment {experiment}"]
    for db in databases:
        lines += ["", f"database {db.db_identifier}", *_database(db)]
    for batch in batches:
        lines += ["", f"batch script {batch.script}", *_notes(batch_notes(batch)), *_indented(batch.text())]
    for model in models:
        lines += ["", *_member(model, renderer, command(model))]
    return printable("\n".join(lines) + "\n")


def _database(db: Orchestrator) -> Iterator[str]:
    yield f"  directory  {db.path}"
    yield f"  servers    {db.num_shards}"
    if placement := placement_of(db):
        yield f"  nodes      {placement.nodes}, " + ("in a job of their own" if db.batch else "of this allocation")
    yield f"  access     {db.access}"
    yield from (f"  setting    {name} {value}" for name, value in db.conf.items() if value)
    yield from _notes(notes(ignored_options(db)))


def _member(model: Model, renderer: Renderer, command: Command) -> Iterator[str]:
    yield f"member {model.name}" + "".join(f"  {name}={value}" for name, value in model.params.items())
    yield f"  directory  {model.path}"
    yield from (f"  before     {line}" for line in command.preamble)
    yield f"  command    {command}"
    yield from _notes(member_notes(model.run_settings))
    for name, value in command.env.items():
        yield f"  variable   {name}={value}"
    for word, paths in (("copy", attached(model).to_copy), ("symlink", attached(model).to_symlink)):
        yield from (f"  {word:<11}{path}" for path in paths)
    for target, content, _ in renderer.files(model):
        yield f"  configure  {target}"
        yield from _indented(content.decode(errors="replace"))


def _notes(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"  note       {line}" for line in lines)


def _indented(text: str) -> list[str]:
    return [f"    | {line}".rstrip() for line in text.splitlines()]
