"""The start-up program's texts for learners, in French and English."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Topic(Enum):
    """Reason of a notice."""

    FROM_TEMPLATE = "from_template"
    NO_COPY = "no_copy"
    KEPT_BESIDE = "kept_beside"
    DISK_FULL = "disk_full"


@dataclass(frozen=True)
class Notice:
    """A notice for the learner; `name` is a file name in the sentence, if it needs one."""

    topic: Topic
    course: str
    name: str = ""


_TEXTS: dict[str, dict[Topic, str]] = {
    "fr": {
        Topic.FROM_TEMPLATE: (
            "GitLab ne répond pas pour le moment. Le dossier `{course}` contient les fichiers du "
            "cours tels que l'équipe enseignante les a fournis. Vous pouvez travailler "
            "normalement : vos fichiers sont gardés ici. La synchronisation avec GitLab reprendra "
            "à un prochain démarrage."
        ),
        Topic.NO_COPY: (
            "Les fichiers du cours `{course}` n'ont pas pu être copiés : GitLab ne répond pas. "
            "Jupyter fonctionne. Arrêtez puis relancez votre serveur dans quelques minutes pour "
            "obtenir les fichiers."
        ),
        Topic.KEPT_BESIDE: (
            "Un dossier `{course}` existait déjà et n'était pas une copie de votre espace GitLab. "
            "Rien n'a été effacé : il s'appelle maintenant `{name}`."
        ),
        Topic.DISK_FULL: (
            "Votre espace disque est plein. Jupyter est démarré, mais rien de nouveau ne peut "
            "être enregistré. Supprimez les fichiers dont vous n'avez plus besoin (clic droit, "
            "« Supprimer »), puis redémarrez votre serveur."
        ),
    },
    "en": {
        Topic.FROM_TEMPLATE: (
            "GitLab does not answer at the moment. The folder `{course}` holds the course's files "
            "as the teachers made them. You can work as usual: your files are kept here. "
            "Synchronising with GitLab will resume when a later start finds it."
        ),
        Topic.NO_COPY: (
            "The files of the course `{course}` could not be copied: GitLab does not answer. "
            "Jupyter works. Stop and start your server again in a few minutes to get the files."
        ),
        Topic.KEPT_BESIDE: (
            "A folder `{course}` already existed and was not a copy of your GitLab space. "
            "Nothing was deleted: it is now called `{name}`."
        ),
        Topic.DISK_FULL: (
            "Your disk space is full. Jupyter has started, but nothing new can be saved. Delete "
            "files you no longer need (right click, “Delete”), then restart your server."
        ),
    },
}

_FULL = {
    "fr": (
        "Votre espace disque est plein{amount}. Ce fichier n'a pas été enregistré ; sa version "
        "précédente est intacte. Supprimez des fichiers dont vous n'avez plus besoin (clic droit, "
        "« Supprimer »), puis enregistrez de nouveau.{largest}",
        " : {used} sur {size} Go",
        " Les plus gros : {files}.",
    ),
    "en": (
        "Your disk space is full{amount}. This file has not been saved; its former version is "
        "whole. Delete files you no longer need (right click, “Delete”), then save again.{largest}",
        ": {used} of {size} GB",
        " The largest are {files}.",
    ),
}


def full(space: dict[str, Any] | None, language: str) -> str:
    """Return what a learner reads when a file cannot be saved for want of room.

    `space` is what `atelier_toolbar.usage.full_space` says, None when nobody can tell.
    """
    sentence, amount, largest = _FULL[language]

    def gigabytes(size: int) -> str:
        digits = f"{size / 1024**3:.1f}"
        return digits.replace(".", ",") if language == "fr" else digits

    if space is None:
        return sentence.format(amount="", largest="")
    told = amount.format(used=gigabytes(space["used"]), size=gigabytes(space["size"]))
    files = ", ".join(path for path, _ in space["largest"])
    return sentence.format(amount=told, largest=largest.format(files=files) if files else "")


MARKER = "<!-- atelier: written at start-up, removed when there is nothing left to say -->"
_HEADINGS = {"fr": "# À lire", "en": "# Please read"}


def sentence(notice: Notice, language: str) -> str:
    """Return a notice as one paragraph in `language`, `fr` or `en`."""
    return _TEXTS[language][notice.topic].format(course=notice.course, name=notice.name)


def page(notices: list[Notice], language: str) -> str:
    """Return the Markdown page that tells all notices in both languages, the learner's first."""
    order = ("en", "fr") if language == "en" else ("fr", "en")
    parts = [MARKER]
    for code in order:
        parts.append(_HEADINGS[code])
        parts.extend(sentence(notice, code) for notice in notices)
    return "\n\n".join(parts) + "\n"


def language_of(lang: str) -> str:
    """Return `en` when the POSIX locale name `lang` is English or no language, else `fr`."""
    language = lang.partition(".")[0].partition("_")[0].lower()
    return "en" if language in ("en", "c", "posix") else "fr"
