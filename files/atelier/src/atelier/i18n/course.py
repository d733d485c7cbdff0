"""Sentences about how a course is published, part of :mod:`atelier.i18n.translate`.

Their keys begin with ``publish_``. Those of git's known cases say in English what the shared files
``git``, ``source`` and ``push`` say.
"""

from __future__ import annotations

COURSE_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    # what is to be mended in the course's repository
    "publish_refused": (
        "Le commit {commit} du cours {slug} n’est pas publié : il y a des erreurs. Les apprenants"
        " gardent ce qu’ils ont. À corriger dans le dépôt du cours :",
        "Commit {commit} of the course {slug} is not published, as something in it is not right;"
        " learners keep what they have. Mend this in the course's repository:",
    ),
    "publish_no_start_file": (
        "ce fichier manque : c’est lui qu’ouvre un lien qui n’en nomme aucun (start_file)",
        "this file is missing: it is what a link opens that names no file (start_file)",
    ),
    "publish_declaration_large": (
        "les exercices déclarés dépassent {kib} Kio en tout : raccourcissez leurs textes",
        "the declared exercises are over {kib} KiB in all: shorten their texts",
    ),
    # what ends a run
    "publish_locked": (
        "Une autre mise à jour du cours {slug} est en cours depuis plus de {seconds} s : attendez"
        " sa fin, puis recommencez.",
        "Another run for the course {slug} is still at work after {seconds} s: wait for its end,"
        " then try again.",
    ),
    "publish_nothing_fetched": (
        "Rien n’a encore été récupéré pour le cours {slug} : lancez d’abord"
        " « atelier-course pull {slug} ».",
        "Nothing was fetched yet for the course {slug}: run `atelier-course pull {slug}` first.",
    ),
    "publish_failed": (
        "Rien n’est publié, les apprenants gardent ce qu’ils ont : {why}",
        "Nothing was published, learners keep what they have: {why}",
    ),
    "publish_password": (
        "L’adresse du dépôt chez {host} contient un nom ou un mot de passe : retirez-le, les"
        " adresses finissent dans les journaux.",
        "The address of the repository at {host} carries a user name or password: leave it out,"
        " addresses end in logs.",
    ),
    "publish_no_branch": (
        "Le dépôt {address} n’a pas de branche {branch}.",
        "The repository {address} has no branch {branch}.",
    ),
    "publish_rewritten": (
        "La branche {branch} de {address} ne contient plus le commit {commit}, dont viennent les"
        " forks des apprenants : son historique a été réécrit, ou le cours a changé de source."
        " Remettez ce commit dans la branche (par une fusion, pas un rebase), par exemple depuis"
        " {path}.",
        "The branch {branch} of {address} does not contain commit {commit} any more, which"
        " learners' forks were made from: its history was rewritten, or the course changed its"
        " source. Bring that commit back into the branch (merge it, do not rebase), for example"
        " from {path}.",
    ),
    "publish_no_directory": (
        "Il n’y a pas de dossier {directory} sur le serveur.",
        "There is no directory {directory} on the server.",
    ),
    "publish_empty_directory": (
        "Le dossier {directory} ne contient aucun fichier pour le cours.",
        "The directory {directory} holds no file for the course.",
    ),
    "publish_directory_behind": (
        "Le modèle {address} a des commits que le dossier du cours n’a pas (le dernier est"
        " {commit}), et le dossier a changé aussi. Rien n’est publié ni perdu. Copiez les fichiers"
        " du modèle dans le dossier, recommencez, puis faites vos modifications.",
        "The template at {address} has commits that the course's directory has not (the latest is"
        " {commit}), and the directory has changed too. Nothing was published and nothing is lost."
        " Copy the template's files into the directory, run this again, then make your changes.",
    ),
    "publish_diverged": (
        "Le modèle {url} a {extra} commit(s) que la source du cours n’a pas (le dernier est"
        " {theirs}), et la source en a de nouveaux aussi ({commit}). Rien n’est publié ni perdu."
        " Fusionnez la branche {branch} du modèle dans la source (git pull --no-rebase {url}"
        " {branch}), poussez la source, puis recommencez.",
        "The template at {url} has {extra} commit(s) that the course's source has not (the latest"
        " is {theirs}), and the source has new ones too ({commit}). Nothing was pushed and nothing"
        " is lost. Merge the template's branch {branch} into the source (git pull --no-rebase {url}"
        " {branch}), push the source, and run this again.",
    ),
    # the command
    "publish_live": ("Publié : {commit}, le {at}.", "Live: {commit}, since {at}."),
    "publish_live_none": ("Rien n’est encore publié.", "Nothing is live yet."),
    "publish_fetched": (
        "Récupéré : {commit} de {source}, le {at}.",
        "Fetched: {commit} from {source}, at {at}.",
    ),
    "publish_fetched_none": ("Rien n’a encore été récupéré.", "Nothing was fetched yet."),
    "publish_looked": (
        "Source interrogée pour la dernière fois : {at}.",
        "The source was last asked at {at}.",
    ),
    "publish_gitlab_pushed": ("GitLab : {commit}, poussé.", "GitLab: {commit}, pushed."),
    "publish_gitlab_equal": ("GitLab : {commit}, à jour.", "GitLab: {commit}, up to date."),
    "publish_gitlab_ahead": (
        "GitLab : {commit}, plus récent que la source.",
        "GitLab: {commit}, newer than the source.",
    ),
    "publish_refused_commit": (
        "Refusé : {commit}, le {at}. À corriger dans le dépôt du cours :",
        "Refused: {commit}, at {at}. Mend this in the course's repository:",
    ),
    "publish_no_settings": (
        "Il n’y a pas de fichier {path} : le rôle « course » l’écrit pour les cours de"
        " l’inventaire.",
        "There is no file {path}: role course writes it for the courses of the inventory.",
    ),
    "publish_other_slug": (
        "{origin} est le fichier du cours {found}, pas de {slug}.",
        "{origin} is the file of the course {found}, not of {slug}.",
    ),
    "publish_settings": ("Fichier à corriger : {why}", "A file to mend: {why}"),
    "publish_changed": ("{what} : {before} → {after}", "{what}: {before} -> {after}"),
    "publish_unchanged": ("Rien à changer.", "Nothing to change."),
}
