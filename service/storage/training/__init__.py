"""Training: what the rules of classes and memberships may know, and how all of it is read."""

from service.storage.training.classes import (
    CLASS_FACTS,
    CLASS_VIEW,
    CORRECTION_FACTS,
    EDIT_FACTS,
    NEW_CLASS,
    SUBSTITUTE_FACTS,
    TIMETABLE,
    TIMETABLE_FACTS,
    read_busy,
    read_session,
)
from service.storage.training.memberships import (
    COMPLETION,
    MEMBERSHIP_FACTS,
    MEMBERSHIP_VIEW,
    NEW_MEMBERSHIP,
    TRANSFER_FACTS,
    hours_of,
    read_achieved,
)
from service.storage.training.parts import ASSESSMENT_VIEW, ATTENDANCE_VIEW, MARK_VIEW, SESSION_VIEW

__all__ = [
    "ASSESSMENT_VIEW",
    "ATTENDANCE_VIEW",
    "CLASS_FACTS",
    "CLASS_VIEW",
    "COMPLETION",
    "CORRECTION_FACTS",
    "EDIT_FACTS",
    "MARK_VIEW",
    "MEMBERSHIP_FACTS",
    "MEMBERSHIP_VIEW",
    "NEW_CLASS",
    "NEW_MEMBERSHIP",
    "SESSION_VIEW",
    "SUBSTITUTE_FACTS",
    "TIMETABLE",
    "TIMETABLE_FACTS",
    "TRANSFER_FACTS",
    "hours_of",
    "read_achieved",
    "read_busy",
    "read_session",
]
