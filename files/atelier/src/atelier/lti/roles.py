"""Which LTI roles teach a course, and which edit its pages.

Sources: LTI Core 1.3, appendix A.2; LTI 1.1 Implementation Guide, appendix A.2.
"""

from __future__ import annotations

_TEACHING = ("Instructor", "Administrator")
_WRITING = (*_TEACHING, "TeachingAssistant", "ContentDeveloper")
_ASSISTANTS = (
    *(f"TeachingAssistant{of}" for of in (
        "", "Group", "Offering", "Section", "SectionAssociation", "Template",
    )),
    "Grader",
)  # fmt: skip
_SUB_ROLES = {
    "Instructor": (
        "Instructor", "ExternalInstructor", "GuestInstructor", "Lecturer", "PrimaryInstructor",
        "SecondaryInstructor",
    ),
    "Administrator": (
        "Administrator", "Developer", "ExternalDeveloper", "ExternalSupport",
        "ExternalSystemAdministrator", "Support", "SystemAdministrator",
    ),
    "ContentDeveloper": (
        "ContentDeveloper", "ContentExpert", "ExternalContentExpert", "Librarian",
    ),
}  # fmt: skip
"""Sub-roles that count here; others are ignored (LTI Core 1.3, appendix A.2.3; LTI 1.1
Implementation Guide, A.2.2)."""


def _held(roles: str) -> set[str]:
    """The principal roles held in the course.

    A sub-role counts as its principal role, with one exception: assistants and graders are
    sub-roles of Instructor in LTI 1.3 but the role ``TeachingAssistant`` in LTI 1.1; here they are
    ``TeachingAssistant`` in both. A platform sends the principal role beside the sub-role (LTI Core
    1.3, A.2.3), so an assistant's ``Instructor`` is ignored.

    Args:
        roles: as LTI 1.1 writes them, separated by commas, with or without their URN.
    """
    plain: set[str] = set()
    held: set[str] = set()
    for one in roles.split(","):
        principal, _, sub = one.strip().removeprefix("urn:lti:role:ims/lis/").partition("/")
        if not sub:
            plain.add(principal)
        elif principal in ("Instructor", "TeachingAssistant") and sub in _ASSISTANTS:
            held.add("TeachingAssistant")
        elif sub in _SUB_ROLES.get(principal, ()):
            held.add(principal)
    if "TeachingAssistant" in held:  # by a sub-role
        plain.discard("Instructor")
    return held | plain


def has_teacher_role(roles: str) -> bool:
    """Whether ``roles`` make a user staff, who sees all answers and grades.

    Only instructors and administrators of the course are staff. Assistants, graders and authors
    have the rights of learners.
    """
    return bool(_held(roles) & set(_TEACHING))


def has_author_role(roles: str) -> bool:
    """Whether ``roles`` allow a user to choose what the links of the course page open.

    This does not show them anything of other users."""
    return bool(_held(roles) & set(_WRITING))
