"""SmartSim's data for training, which is not provided: smartredis, and the loaders of the frameworks, do this."""

from smartensemble.compat.missing import UPLOAD, Missing, missing

__all__ = ["DataDownloader", "DataInfo", "TrainingDataUploader", "form_name"]


class DataInfo(Missing):
    """What is known of a data set in the database."""

    why = UPLOAD


class TrainingDataUploader(Missing):
    """Puts samples into the database."""

    why = UPLOAD


class DataDownloader(Missing):
    """Gets samples from the database."""

    why = UPLOAD


form_name = missing("form_name", UPLOAD)
