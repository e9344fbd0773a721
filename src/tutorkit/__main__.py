"""``python -m tutorkit`` is the command ``tutorkit``."""

import sys


def main() -> int:
    """Run the command; without what it needs, say how to get it."""
    try:
        from tutorkit import cli
    except ModuleNotFoundError as error:
        print(f"tutorkit: needs the package {error.name}; pip install 'smartensemble[tutorkit]' brings it", file=sys.stderr)
        return 2
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
