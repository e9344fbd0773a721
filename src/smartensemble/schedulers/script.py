"""Write a batch job as text: one script for each member, and one that runs them all."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from smartensemble.command import Command
from smartensemble.schedulers.base import Plan, PortableOptions, Scheduler


def member_script(command: Command) -> str:
    """A script that runs one member, in a batch job or from a shell.

    It makes ``NAME.started`` when it begins, and writes the exit code to ``NAME.exit``: these files show the member's status.

    >>> print(member_script(Command(("/bin/echo", "a b"), Path("/scratch/melt_0"), {"N": "1"}, "melt_0", 60)))
    #!/bin/bash
    # melt_0: run it again by hand with bash melt_0.sh
    cd /scratch/melt_0 || exit
    export N=1
    [ ! -e melt_0.exit ] || rm melt_0.exit
    : > melt_0.started
    timeout --kill-after=5 60 /bin/echo 'a b' < /dev/null > melt_0.out 2> melt_0.err
    code=$?
    echo "$code" > melt_0.exit
    exit "$code"
    <BLANKLINE>
    """
    name = {suffix: _word(f"{command.name}.{suffix}") for suffix in ("sh", "started", "exit", "out", "err")}
    limit = "" if command.time_limit is None else f"timeout --kill-after=5 {command.time_limit:.15g} "
    return "\n".join(
        [
            "#!/bin/bash",
            f"# {command.name}: run it again by hand with bash {name['sh']}",
            f"cd {shlex.quote(str(command.cwd))} || exit",
            *(f"export {variable}={shlex.quote(value)}" for variable, value in command.env.items()),
            f"[ ! -e {name['exit']} ] || rm {name['exit']}",  # starts no process if there is nothing to remove
            f": > {name['started']}",
            *command.preamble,
            f"{limit}{command} < /dev/null > {name['out']} 2> {name['err']}",
            "code=$?",
            f'echo "$code" > {name["exit"]}',
            'exit "$code"',
            "",
        ]
    )


def batch_script(
    name: str,
    directory: Path,
    scripts: Sequence[Path],
    scheduler: Scheduler,
    options: PortableOptions,
    preamble: Sequence[str] = (),
    max_running: int | None = None,
    plan: Plan | None = None,
) -> str:
    """A script that runs all `scripts` at once, or `max_running` of them at a time, and fails if one of them fails.

    With a `plan` it runs them in an allocation of the scheduler, and records its own start and exit code.

    >>> from smartensemble.schedulers.base import LOCAL
    >>> scripts = [Path("/scratch/melt/melt_0/melt_0.sh"), Path("/scratch/melt/melt_1/melt_1.sh")]
    >>> print(batch_script("melt", Path("/scratch/melt"), scripts, LOCAL, {}, ["module load lammps"]))
    #!/bin/bash
    # melt: a batch job of 2 members
    module load lammps
    cd /scratch/melt || exit
    members=(
        melt_0/melt_0.sh
        melt_1/melt_1.sh
    )
    # A member that fails ends no other one, and fails the job in the end.
    printf '%s\\0' "${members[@]}" | xargs -0 -n 1 -P 0 bash -c 'bash "$0" || exit 1'
    <BLANKLINE>
    """
    run = [
        "# A member that fails ends no other one, and fails the job in the end.",
        f"printf '%s\\0' \"${{members[@]}}\" | xargs -0 -n 1 -P {max_running or 0} bash -c 'bash \"$0\" || exit 1'",
        "",
    ]
    home = f"cd {shlex.quote(str(directory))} || exit"
    begin: list[str] = []
    if plan and scheduler.body:
        options, run = plan.options, [scheduler.body(plan)]
        # The tasks of an array add a line each. The lines of an earlier run are gone by now.
        end = shlex.quote(f"echo $? >> {shlex.quote(str(directory / name))}.exit")
        # Without the second trap, a canceled script would record the exit code of the last command that ended well.
        begin = [home, f": >> {_word(f'{name}.started')}", f"trap {end} EXIT", "trap 'exit 143' TERM"]
    members = [path.relative_to(directory) if path.is_relative_to(directory) else path for path in scripts]
    return "\n".join(
        [
            "#!/bin/bash",
            *scheduler.directives(options),
            f"# {name}: a batch job of {len(scripts)} member{'s' * (len(scripts) != 1)}",
            *begin,
            *preamble,
            home,
            "members=(",
            *(f"    {_word(str(path))}" for path in members),
            ")",
            *run,
        ]
    )


def _word(path: str) -> str:
    """`path`, quoted for the shell. One that begins with ``-`` must not be taken for an option.

    >>> _word("melt 0.sh"), _word("-melt.sh")
    ("'melt 0.sh'", './-melt.sh')
    """
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
