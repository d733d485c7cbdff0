# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that consumers (LTI 1.1), registrations (LTI 1.3) and invitations have in common."""

from __future__ import annotations

from .hosts import host_name
from .keys import Key, Table
from .kinds import Choice, Flag, Items, Reading, Text
from .problems import wrong

STATES = ("present", "absent")
COURSE_SLUG = r"[a-z][a-z0-9-]{0,38}[a-z0-9]"
# No colons, as Open edX joins name, key and secret with them; plain characters work in all LMS
# forms and in OAuth.
PLAIN_CHARACTERS = r"[\x21-\x39\x3b-\x7e]"


def _host(value: str, reading: Reading) -> str:
    del reading
    try:
        return host_name(value)
    except ValueError as error:
        raise wrong(str(error), "Example: [lms.example.org].", value) from None


KEY_NAME = Text(
    pattern=PLAIN_CHARACTERS + r"{1,255}",
    numbers=True,
    fix="Use 1 to 255 ASCII characters, without spaces and colons.",
)
"""The key of a consumer or a registration."""
EARLIER_KEY_NAME = Text(longest=255, fix=KEY_NAME.fix)
SLUG_OF_COURSE = Text(
    pattern=COURSE_SLUG,
    problem="names what is not a course's slug",
    fix="Use the slugs of courses: 2 to 40 small letters, digits and hyphens.",
)

KEY = Key(
    "key",
    KEY_NAME,
    en="its name in logs and in courses' `consumers`; no two consumers or registrations have one",
    fr="son nom dans les journaux et dans `consumers` des cours ; il n'y en a pas deux du même nom",
    required=True,
    earlier=EARLIER_KEY_NAME,
)
PLATFORM = Key(
    "platform",
    Text(
        pattern=r"[a-z0-9][a-z0-9._-]{0,62}",
        numbers=True,
        fix="Use 1 to 63 small letters, digits, dots, hyphens and underscores, a letter or digit"
        " first: the same word for all keys of one platform. It must never change: learners'"
        " accounts are made from it.",
    ),
    en="the LMS it belongs to. Keys of one LMS share it, so that they mean the same people. It is"
    " part of learners' identity: do not change it later",
    fr="la plateforme (LMS) à laquelle elle appartient. Les clés d'une même plateforme la"
    " partagent : elles désignent les mêmes personnes. Elle fait partie de l'identité des"
    " apprenants : ne plus la changer",
    required=True,
)
COURSES = Key(
    "courses",
    Items(of=SLUG_OF_COURSE, fix="Write it as a list of courses' slugs: [rr1]."),
    en="list of the `slug` of the courses it may launch; all of them when left out",
    fr="liste des `slug` des cours qu'elle peut lancer ; tous par défaut",
)
TRUST_EMAIL = Key(
    "trust_email",
    Flag(),
    en="whether this LMS sends verified e-mail addresses, which accounts and commits then bear."
    " Otherwise learners have `<username>@users.noreply.<domain>`",
    fr="si cette plateforme envoie des adresses électroniques vérifiées, que portent alors comptes"
    " et commits. Sinon les apprenants ont `<username>@users.noreply.<domaine>`",
    default=False,
)
TRUST_ROLES = Key(
    "trust_roles",
    Flag(),
    en="whether the roles this LMS sends are honoured; everybody is a learner otherwise",
    fr="si les rôles envoyés par cette plateforme sont pris en compte ; sinon tout le monde est"
    " apprenant",
    default=False,
    link="lms.md#who-teaches",
)
HOSTS = Key(
    "hosts",
    Items(of=Text(check=_host, numbers=True, problem="is no host name"),
          fix="Write it as a list: [lms.example.org]."),
    en="the hosts that take this LMS's grades",
    fr="les machines qui reçoivent les notes de cette plateforme",
    default=[],
    nullable=True,
)  # fmt: skip
STATE = Key(
    "state",
    Choice(words=STATES),
    en="`absent` removes it from the site at the next run, as taking the entry off the list does",
    fr="`absent` la retire du site à l'exécution suivante, comme le fait le retrait de l'entrée",
    default="present",
)

LAUNCHER = Table("launcher", (KEY, PLATFORM, COURSES, TRUST_EMAIL, TRUST_ROLES, HOSTS))
ALWAYS = ("key", "trust_email", "trust_roles", "state")
"""Keys that are read if the state is ``absent``."""
