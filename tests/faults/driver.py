"""A driver of the campaign: it starts what has not completed, stops, looks or abandons, and writes down what came of it."""

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from smartensemble import Experiment
from smartensemble.errors import SmartEnsembleError

#: What a member does: it says that it begins and that it ends, works for a moment, and every third leaves a child behind.
MEMBER = """
say() { echo "$TURN ${PWD##*/} $1" >> "$LOG"; }
say begin
[ $(( ${PWD##*_} % 3 )) = 1 ] && { sleep 1000 & }
sleep 0.$(( ${PWD##*_} % 4 * 2 + 1 ))
echo result > result.txt
say end
"""


def main(path: Path, members: int, *options: str) -> None:
    """Do what the options say."""
    if "--abandon" not in options and "--look" not in options:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    answer: dict[str, object] = {}
    try:
        exp = Experiment("study")
        settings = exp.create_run_settings("bash", ["-c", MEMBER])
        ens = exp.create_ensemble("ens", replicas=members, run_settings=settings)
        db = exp.create_database() if "--database" in options else None
        path.with_suffix(".began").touch()
        if "--stop" in options:
            exp.stop(ens)
        elif "--look" not in options:
            if "--abandon" in options:
                answer["abandoned"] = exp.abandon()
            if db:
                exp.start(db)
            exp.start(ens, only="failed", detach="--detach" in options)
    except (SmartEnsembleError, TypeError) as error:
        answer |= {"error": f"{type(error).__name__}: {error}"}
    except KeyboardInterrupt:
        answer |= {"interrupted": True}
    except BaseException as error:
        answer |= {"foreign": "".join(traceback.format_exception(error)[-3:])}
    with suppress(NameError, SmartEnsembleError):
        answer |= {
            "status": {each.name: str(each.status) for each in ens},
            "reason": {each.name: each.run.reason for each in ens},
        }
    path.with_suffix(".new").write_text(json.dumps(answer))
    os.replace(path.with_suffix(".new"), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
