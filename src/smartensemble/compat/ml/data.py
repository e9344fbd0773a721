"""SmartSim's data for training, which is not provided: a client, and the loaders of the frameworks, do this."""

from smartensemble.compat.missing import UPLOAD, Missing
from smartensemble.errors import public


@public
def form_name(*args: object) -> str:
    """The parts of a name, joined.

    >>> form_name("samples", None, 3)
    'samples_3'
    """
    return "_".join(str(part) for part in args if part is not None)


class DataInfo(Missing):
    """What is known of a data set in the database."""

    why = UPLOAD


class TrainingDataUploader(Missing):
    """Puts samples into the database."""

    why = UPLOAD


class DataDownloader(Missing):
    """Gets samples from the database."""

    why = UPLOAD
