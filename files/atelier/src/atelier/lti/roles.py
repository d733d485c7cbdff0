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
"""Of the roles that count here (LTI Core 1.3, appendix A.2.3; LTI 1.1 Implementation Guide, A.2.2).
What is not among them has no meaning."""


def _held(roles: str) -> set[str]:
    """The principal roles held in the course itself.

    A sub-role is its principal role, with one exception: LTI 1.3 has assistants and graders among
    the sub-roles of Instructor, LTI 1.1 as a role of their own, ``TeachingAssistant``; they are
    that here in both. A platform names a principal role beside its sub-role (LTI Core 1.3, A.2.3):
    an assistant's ``Instructor`` says nothing more.

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


def teaches(roles: str) -> bool:
    """Whether a launch's ``roles`` make its bearer staff: they see everybody's answers and grades.

    Instructors and administrators of the course, nobody else: an assistant, a grader or an author
    is a learner like the others here.
    """
    return bool(_held(roles) & set(_TEACHING))


def writes(roles: str) -> bool:
    """Whether a launch's ``roles`` say that its bearer writes the course's page: they choose
    what its links open, and see nothing of anybody by that."""
    return bool(_held(roles) & set(_WRITING))
