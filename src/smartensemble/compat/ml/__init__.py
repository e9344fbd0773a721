"""SmartSim's data for training, as ``smartsim.ml`` has it."""

from smartensemble.compat.ml.data import DataDownloader, DataInfo, TrainingDataUploader, form_name

__all__ = ["DataDownloader", "DataInfo", "TrainingDataUploader", "form_name"]
