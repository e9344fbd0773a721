"""SmartSim's names for where a member stands."""

from enum import Enum

from smartensemble.status import Status


class SmartSimStatus(Enum):
    """What :meth:`Experiment.get_status` answers. Nothing is ever paused here.

    >>> SmartSimStatus.of(Status.COMPLETED)
    <SmartSimStatus.STATUS_COMPLETED: 'Completed'>
    """

    STATUS_RUNNING = "Running"
    STATUS_COMPLETED = "Completed"
    STATUS_CANCELLED = "Cancelled"
    STATUS_FAILED = "Failed"
    STATUS_NEW = "New"
    STATUS_PAUSED = "Paused"
    STATUS_NEVER_STARTED = "NeverStarted"
    STATUS_QUEUED = "Queued"

    @classmethod
    def of(cls, status: Status) -> "SmartSimStatus":
        """SmartSim's name for `status`. Its "New" is a member that was started and not yet looked at: that is Queued here."""
        others = {Status.NEW: cls.STATUS_NEVER_STARTED, Status.UNKNOWN: cls.STATUS_FAILED}
        return others.get(status) or cls(status.value)


TERMINAL_STATUSES = {SmartSimStatus.STATUS_CANCELLED, SmartSimStatus.STATUS_COMPLETED, SmartSimStatus.STATUS_FAILED}
