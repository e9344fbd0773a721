"""SmartSim's models and ensembles, as ``smartsim.entity`` has them."""

from smartensemble.compat.entity.dbnode import DBNode
from smartensemble.compat.entity.dbobject import DBModel, DBObject, DBScript
from smartensemble.compat.entity.ensemble import Ensemble
from smartensemble.compat.entity.entity import SmartSimEntity, TelemetryConfiguration
from smartensemble.compat.entity.entityList import EntityList, EntitySequence
from smartensemble.compat.entity.files import TaggedFilesHierarchy
from smartensemble.compat.entity.model import Model

__all__ = [
    "DBModel",
    "DBNode",
    "DBObject",
    "DBScript",
    "Ensemble",
    "EntityList",
    "EntitySequence",
    "Model",
    "SmartSimEntity",
    "TaggedFilesHierarchy",
    "TelemetryConfiguration",
]
