"""What a script of TorchScript may consist of: functions. See https://pytorch.org/docs/stable/jit_language_reference.html."""

import ast

from smartensemble.errors import InputValueError, shown


def check_script(subject: str, source: str) -> None:
    """An error, if `source` has what TorchScript refuses, whatever there is in its functions.

    Text that is no Python is left to TorchScript, which knows better what is wrong with it.

    >>> check_script("double", "import torch\\ndef double(x):\\n    return 2 * x")
    Traceback (most recent call last):
    smartensemble.errors.InputValueError: double: line 1 is 'import torch', and scripts have no imports; leave it out, because
        TorchScript knows torch and math without it
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = source.splitlines()
    for inside in ast.walk(tree):
        if isinstance(inside, (ast.Import, ast.ImportFrom)):
            raise InputValueError(
                f"{subject}: line {inside.lineno} is {shown(lines[inside.lineno - 1].strip())}, and scripts have no imports; "
                "leave it out, because TorchScript knows torch and math without it"
            )
    others: list[ast.stmt | ast.expr] = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    others += [each for node in tree.body if isinstance(node, ast.FunctionDef) for each in node.decorator_list]
    for node in others:
        raise InputValueError(
            f"{subject}: line {node.lineno} is {shown(lines[node.lineno - 1].strip())}, and scripts consist of functions, "
            "def f(x): ...; leave it out, or write it into a function"
        )
