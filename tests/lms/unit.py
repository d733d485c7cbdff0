"""The course unit's contents: who may be its learner, and where its links lead."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

PLATFORM_NAME = "Cours de démonstration"
COURSE_ID = "course-v1:Atelier+RR+demo"
COURSE_TITLE = {
    "fr": "Recherche reproductible (exemple)",
    "en": "Reproducible research (example)",
}


@dataclass(frozen=True)
class Learner:
    """Somebody enrolled in the course."""

    slug: str
    name: str
    roles: str = "Student"
    """Their LTI 1.1 roles in the course."""

    @property
    def user_id(self) -> str:
        """The opaque name under which Open edX makes a learner known to a tool."""
        return hashlib.sha256(f"{PLATFORM_NAME}:{self.slug}".encode()).hexdigest()[:32]

    @property
    def email(self) -> str:
        """Their address, in a domain reserved for examples (RFC 2606)."""
        return f"{self.slug}@example.org"


@dataclass(frozen=True)
class Link:
    """One LTI component of the unit. `custom` are its custom parameters, without `custom_`."""

    graded: bool = field(default=False, kw_only=True)
    """Whether the platform takes a grade from it."""

    slug: str
    title: dict[str, str]
    text: dict[str, str]
    button: dict[str, str]
    custom: dict[str, str]
    lti: str = "1.1"


LEARNERS = (Learner("ada", "Ada Exemple"), Learner("basile", "Basile Exemple"))

CHOICE = "choice"
"""Name of the link that a teacher is choosing."""

LINKS = (
    Link(
        "notebook-python",
        {"fr": "Document computationnel en Python", "en": "Computational document in Python"},
        {
            "fr": "Calculez π de trois façons, avec les aiguilles de Buffon. Exécutez chaque "
            "cellule, puis changez la graine et recommencez.",
            "en": "Compute π in three ways, with Buffon's needles. Run each cell, then change the "
            "seed and start again.",
        },
        {"fr": "Ouvrir le notebook Python", "en": "Open the Python notebook"},
        {"target": "notebook", "path": "notebooks/pi_python.ipynb"},
    ),
    Link(
        "notebook-r",
        {"fr": "Document computationnel en R", "en": "Computational document in R"},
        {
            "fr": "Les mêmes calculs en R. Obtenez-vous les mêmes valeurs ? Pourquoi ?",
            "en": "The same computations in R. Do you get the same values? Why?",
        },
        {"fr": "Ouvrir le notebook R", "en": "Open the R notebook"},
        {"target": "notebook", "path": "notebooks/pi_r.ipynb"},
    ),
    Link(
        "exercise",
        {"fr": "Exercice noté : une moyenne", "en": "Graded exercise: a mean"},
        {
            "fr": "Complétez exercises/mean.ipynb dans votre notebook, enregistrez dans GitLab, "
            "puis vérifiez votre réponse ici. La meilleure note compte.",
            "en": "Complete exercises/mean.ipynb in your notebook, save to GitLab, then check your "
            "answer here. The best score counts.",
        },
        {"fr": "Vérifier ma réponse", "en": "Check my answer"},
        {"target": "check", "exercise": "mean"},
        graded=True,
    ),
    Link(
        "gitlab",
        {"fr": "Votre espace GitLab", "en": "Your GitLab space"},
        {
            "fr": "Retrouvez vos fichiers et leur histoire : ce que vous avez enregistré, quand, "
            "et ce qui a changé.",
            "en": "Find your files and their history: what you saved, when, and what changed.",
        },
        {"fr": "Ouvrir mon espace GitLab", "en": "Open my GitLab space"},
        {"target": "gitlab"},
    ),
    Link(
        "exercise-13",
        {"fr": "Le même exercice, par LTI 1.3", "en": "The same exercise, by LTI 1.3"},
        {
            "fr": "La note revient par le service de notes de LTI 1.3.",
            "en": "The grade comes back by LTI 1.3's score service.",
        },
        {"fr": "Vérifier par LTI 1.3", "en": "Check by LTI 1.3"},
        {"target": "check", "exercise": "mean"},
        lti="1.3",
        graded=True,
    ),
    Link(
        "notebook-13",
        {"fr": "Le même notebook, par LTI 1.3", "en": "The same notebook, by LTI 1.3"},
        {
            "fr": "La plateforme signe ce lien avec sa clé privée, et non avec un secret partagé. "
            "C'est le même espace.",
            "en": "The platform signs this link with its private key instead of a shared secret. "
            "It is the same space.",
        },
        {"fr": "Ouvrir par LTI 1.3", "en": "Open by LTI 1.3"},
        {"target": "notebook", "path": "notebooks/pi_python.ipynb"},
        lti="1.3",
    ),
)


def learner(slug: str | None) -> Learner:
    """Return the learner of that name, the first one when there is none."""
    return next((known for known in LEARNERS if known.slug == slug), LEARNERS[0])


def link(slug: str) -> Link | None:
    """Return the link of that name."""
    return next((known for known in LINKS if known.slug == slug), None)
