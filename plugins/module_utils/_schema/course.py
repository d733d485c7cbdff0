# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schema of a course, in ``atelier_courses`` and in the hub's file of a course."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .keys import Group, Key, Table
from .kinds import PLAIN, Choice, Items, Kind, Number, Reading, Text, Whole
from .launcher import COURSE_SLUG, EARLIER_KEY_NAME, KEY_NAME, STATES
from .paths import repository, safe_path
from .problems import Problem, wrong
from .sizes import LEAST_INODES, LEAST_SPACE, MOST_INODES, MOST_SPACE, size_bytes

# A course's GitLab group has the course's name, which must differ from GitLab's top-level routes
# (G:doc/user/reserved_names.md) and from learners' usernames.
TAKEN_BY_GITLAB = frozenset({
    "admin", "api", "assets", "dashboard", "explore", "files", "groups", "help", "import", "jwt",
    "login", "oauth", "profile", "projects", "public", "s", "search", "snippets", "unsubscribes",
    "uploads", "users", "v2",
})  # fmt: skip
LEARNER = re.compile(r"u[a-z2-7]{16}")
LEAST_MEMORY, MOST_MEMORY = 128 * 1024**2, 1024 * 1024**4
FEWEST_PIDS, MOST_PIDS = 32, 2**22
LANGUAGES = ("fr", "en")


def _slug(value: str, reading: Reading) -> str:
    del reading
    if value in TAKEN_BY_GITLAB or LEARNER.fullmatch(value):
        raise wrong(
            "is taken",
            "GitLab or a learner's account has that name. Choose another, such as a course number.",
            value,
        )
    return value


def _path(value: str, reading: Reading) -> str:
    del reading
    return safe_path(value)


@dataclass(frozen=True)
class Size(Kind):
    """A size such as 512M or 1.5G, or a number of bytes."""

    least: int = 0
    most: int = MOST_MEMORY
    out_of_bounds: str = "is not a usable size"
    problem: str = "is not a size"

    ansible = "str"

    def read(self, value: Any, reading: Reading = PLAIN) -> str:
        """Return the size as text."""
        del reading
        size = size_bytes(value)
        if size is None:
            raise self.refused(value)
        if not self.least <= size <= self.most:
            raise wrong(self.out_of_bounds, self.fix, value)
        return str(value)


TITLE = Table(
    "title",
    (
        Key("fr", Text(), en="in French", fr="en français", required=True),
        Key("en", Text(), en="in English", fr="en anglais", required=True),
    ),
)


@dataclass(frozen=True)
class TwoLanguages(Group):
    """A text in French and in English."""

    table: Table = TITLE
    fix: str = 'Write it as {fr: "...", en: "..."}.'
    problem: str = "does not give the title in French and in English"

    def read(self, value: Any, reading: Reading = PLAIN) -> dict[str, str]:
        """Return both texts."""
        kind = Text()
        try:
            texts = {language: kind.read(value[language], reading) for language in LANGUAGES}
        except (TypeError, KeyError, IndexError, ValueError):
            raise wrong(self.problem, self.fix) from None
        self.table.read(value, reading)  # reports unknown keys
        return texts


def _one_source(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del reading
    given = [name for name in ("directory", "repository") if values.get(name) or name in named]
    if len(given) == 2:
        yield Problem("", "has both repository and directory", "Keep the one its files come from.")
    elif not given and values.get("state") != "absent":
        yield Problem(
            "",
            "has neither repository nor directory",
            "Give the git address of the course's template repository, or a directory on the"
            " machine that runs Ansible.",
        )


_SOURCE = (
    Key(
        "repository",
        Text(check=repository, problem="is not the address of a git repository",
             fix="Example: https://git.example.org/mooc/rr1.git."),
        en="git address of the course's repository, without password",
        fr="adresse git du dépôt du cours, sans mot de passe",
        empty=True,
        secret=True,
    ),
    Key(
        "branch",
        Text(pattern=r"(?!-)[A-Za-z0-9._/-]{1,200}", numbers=True,
             problem="is not a branch name", fix="Example: main."),
        en="its branch",
        fr="sa branche",
        default="main",
        nullable=True,
    ),
    Key(
        "directory",
        Text(problem="is not a path", fix="Give the path of a folder on the machine that runs"
             " Ansible, or `example` for the course that comes with the collection."),
        en="instead of `repository`: a folder on the machine that runs Ansible, or `example`",
        fr="au lieu de `repository` : un dossier de la machine qui exécute Ansible, ou `example`",
        empty=True,
    ),
)  # fmt: skip
SOURCE = Table("source", _SOURCE, rules=(_one_source,))
"""The source of files: those of a course, or its expected answers."""
IMAGE = Table(
    "image",
    (
        Key(
            "recipe",
            Choice(
                words=("auto", "none"),
                fix="Use auto (apt.txt, requirements.txt, install.R or a Dockerfile of the course's"
                " repository are followed) or none (the standard image as it is).",
            ),
            en="`auto` adds the packages the repository asks for; `none` does not",
            fr="`auto` ajoute les paquets que le dépôt demande ; `none` ne le fait pas",
            default="auto",
        ),
    ),
)
MEMBER = Table(
    "staff",
    (
        Key(
            "username",
            Text(problem="is not the name of an account", fix="Example: {username: alice}."),
            en="name of the account",
            fr="nom du compte",
            required=True,
        ),
        Key(
            "access",
            Choice(words=("reporter", "developer", "maintainer", "owner")),
            en="what they may do",
            fr="ce qui leur est permis",
            default="maintainer",
        ),
    ),
)

SLUG = Key(
    "slug",
    Text(
        pattern=COURSE_SLUG,
        check=_slug,
        fix="Use 2 to 40 lower-case letters, digits and hyphens, a letter first, no hyphen last.",
    ),
    en="small letters, digits, hyphens; part of addresses",
    fr="lettres minuscules, chiffres, tirets ; il fait partie des adresses",
    required=True,
    earlier=Text(pattern=COURSE_SLUG),
)
TITLE_KEY = Key(
    "title",
    TwoLanguages(),
    en="its title in French and in English: `{fr: …, en: …}`",
    fr="son titre en français et en anglais : `{fr: …, en: …}`",
    required=True,
)
LIMITS = (
    Key(
        "memory",
        Size(
            least=LEAST_MEMORY,
            out_of_bounds="is too little to start a notebook, or more than there is",
            fix="Examples: 512M, 1G, 1.5G. A number without a unit is in bytes; 512M suits small"
            " courses.",
        ),
        en="memory of one learner's server",
        fr="mémoire du serveur d'un apprenant",
        default="1G",
        earlier=Size(),
    ),
    Key(
        "cpu",
        Number(least=0.01, most=1024, problem="is not a number of processors",
               fix="Examples: 0.5, 1, 2.0."),
        en="processors of one learner's server",
        fr="processeurs du serveur d'un apprenant",
        default=1.0,
        earlier=Number(least=1e-6),
    ),
    Key(
        "pids",
        Whole(least=FEWEST_PIDS, most=MOST_PIDS, problem="is not a usable number of processes",
              fix=f"Use {FEWEST_PIDS} or more; 256 suits most courses."),
        en="processes in one learner's server",
        fr="processus dans le serveur d'un apprenant",
        default=256,
        earlier=Whole(least=1, most=10**18),
    ),
)  # fmt: skip
OPENED = (
    Key(
        "consumers",
        Items(of=KEY_NAME, fix="Write it as a list of keys: [fun]."),
        en="the keys, of `atelier_consumers` and `atelier_registrations`, that may launch it;"
        " without it, any that may launch all courses",
        fr="les clés, de `atelier_consumers` et `atelier_registrations`, qui peuvent le lancer ;"
        " sans elle, toutes celles qui peuvent lancer tous les cours",
        earlier=Items(of=EARLIER_KEY_NAME),
    ),
    Key(
        "start_file",
        Text(check=_path, problem="must be a relative path inside the course repository",
             fix="Example: module1/exercise1.ipynb."),
        en="the file shown when the link names none",
        fr="le fichier montré quand le lien n'en nomme aucun",
    ),
)  # fmt: skip
GRADE = Key(
    "grade",
    Choice(words=("best", "last")),
    en="which of a learner's checks the course platform gets as the grade of an exercise",
    fr="laquelle des vérifications d'un apprenant devient la note de l'exercice sur la plateforme",
    default="best",
)
SAVED = (
    Key(
        "outputs",
        Choice(
            words=("keep", "strip"),
            fix="Use keep (commits have notebooks with their outputs) or strip (without).",
        ),
        en="`keep`: what learners save to GitLab has the outputs of notebooks; `strip`: it has not."
        " Their files are not touched",
        fr="`keep` : ce que les apprenants enregistrent dans GitLab a les sorties des notebooks ;"
        " `strip` : il ne les a pas. Leurs fichiers ne changent pas",
        default="keep",
    ),
    Key(
        "max_file_mb",
        Whole(least=1, problem="is not a number of megabytes",
              fix="Use 1 or more; 10 suits most courses."),
        en="larger files (in megabytes) are not saved to GitLab",
        fr="les fichiers plus grands (en mégaoctets) ne sont pas enregistrés dans GitLab",
        default=10,
        earlier=Whole(least=1, most=10**18),
    ),
    Key(
        "space",
        Size(least=LEAST_SPACE, most=MOST_SPACE,
             out_of_bounds="is not a usable space for a learner's files",
             fix="Use 64M to 4T; 1G suits most courses. A number without a unit is in bytes."),
        en="what one learner may keep on the server, 64M to 4T. More takes effect at the next start"
        " of their server",
        fr="ce qu'un apprenant peut garder sur le serveur, de 64M à 4T. Davantage prend effet au"
        " prochain démarrage de son serveur",
        default="1G",
        link="configuration.md#atelier_homes",
    ),
    Key(
        "inodes",
        Whole(least=LEAST_INODES, most=MOST_INODES,
              problem="is not a usable number of files and folders",
              fix=f"Use {LEAST_INODES} to {MOST_INODES}; 65536 suits most courses."),
        en=f"in how many files and folders, {LEAST_INODES} to {MOST_INODES}",
        fr=f"en combien de fichiers et de dossiers, de {LEAST_INODES} à {MOST_INODES}",
        default=65536,
    ),
)  # fmt: skip

COURSE = Table(
    "course",
    (
        SLUG,
        TITLE_KEY,
        *_SOURCE,
        Key(
            "image",
            Group(table=IMAGE, fix="Write it as {recipe: auto}, or leave it out."),
            en="how its image is made: `{recipe: auto}`, the default, or `{recipe: none}`",
            fr="comment son image est faite : `{recipe: auto}`, par défaut, ou `{recipe: none}`",
        ),
        *LIMITS,
        *OPENED,
        Key(
            "expected",
            Group(
                table=SOURCE,
                fix="Write it as {repository: git@git.example.org:mooc/rr1-expected.git}.",
            ),
            en="`{repository: …}` or `{directory: …}` with the expected answers of its exercises",
            fr="`{repository: …}` ou `{directory: …}` avec les réponses attendues de ses exercices",
            link="checks.md",
        ),
        GRADE,
        *SAVED,
        Key(
            "visibility",
            Choice(words=("private", "internal", "public")),
            en="who sees the template project in GitLab; learners' forks are private whatever is"
            " said here",
            fr="qui voit le projet modèle dans GitLab ; les copies des apprenants sont privées quoi"
            " qu'on écrive ici",
            default="internal",
        ),
        Key(
            "staff",
            Items(of=Group(table=MEMBER, fix="Example: {username: alice}."),
                  fix="Write it as a list: [{username: alice}]."),
            en="members of the course's group in GitLab: `[{username: alice, access: maintainer}]`",
            fr="membres du groupe du cours dans GitLab :"
            " `[{username: alice, access: maintainer}]`",
        ),
        Key(
            "state",
            Choice(words=STATES),
            en="`absent` takes the course off the hub; projects, forks, notebooks and images stay",
            fr="`absent` retire le cours du hub ; projets, copies, notebooks et images restent",
            default="present",
        ),
    ),
    rules=(_one_source,),
)  # fmt: skip
"""An item of ``atelier_courses``."""
REGISTERED_COURSE = Table(
    "course",
    (
        SLUG,
        TITLE_KEY,
        Key(
            "template",
            Text(pattern=r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", problem="is not a project's path",
                 fix="Example: rr1/template."),
            en="path of the GitLab project learners' forks come from",
            fr="chemin du projet GitLab d'où viennent les copies des apprenants",
            required=True,
        ),
        Key(
            "image",
            Text(problem="is not the name of an image", fix="Example: atelier/course-rr1:latest."),
            en="tag of the image of learners' servers",
            fr="étiquette de l'image des serveurs des apprenants",
            required=True,
        ),
        *LIMITS,
        *OPENED,
        GRADE,
        *SAVED,
    ),
)  # fmt: skip
"""The hub's ``courses.d/<slug>.yml``."""
