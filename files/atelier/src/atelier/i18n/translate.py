"""What learners and teachers read, in French and English.

A sentence is looked up by key and language; placeholders are ``str.format`` fields. Pages
escape what is put in them (Jinja2 does it), so nothing here is HTML.
"""

from __future__ import annotations

from typing import Literal

from atelier.i18n.course import COURSE_TEXT
from atelier.i18n.desk import DESK_TEXT
from atelier.i18n.diagnosis import DIAGNOSIS_TEXT
from atelier.i18n.exercise_check import CHECK_TEXT
from atelier.i18n.exercise_pages import EXERCISE_TEXT

Language = Literal["fr", "en"]

_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    "site": ("Atelier", "Atelier"),
    "reference": ("Référence", "Reference"),
    "back_to_course": (
        "Revenez à la page du cours et cliquez de nouveau sur le lien.",
        "Go back to the course page and click the link again.",
    ),
    "contact": ("Contact", "Contact"),
    "continue": ("Continuer", "Continue"),
    "try_again": ("Réessayer", "Try again"),
    "open_notebook": ("Ouvrir le notebook", "Open the notebook"),
    "open_gitlab": ("Ouvrir l’espace GitLab", "Open the GitLab space"),
    "open_exercises": ("Voir les exercices", "See the exercises"),
    # the door
    "entrance_title": ("L’entrée est dans votre cours", "The way in is your course page"),
    "entrance": (
        "Cette adresse s’ouvre depuis la page d’un cours : cliquez-y sur le lien du notebook"
        " ou de l’espace GitLab. Il n’y a ni compte à créer ni mot de passe.",
        "This address is opened from a course page: click there on the link to the notebook or"
        " the GitLab space. There is no account to create and no password.",
    ),
    "entrance_new_tab": (
        "Vous veniez d’un notebook montré dans la page du cours ? Votre navigateur vous garde"
        " connecté dans cette page seulement. Ouvrez l’espace GitLab par son lien de la page du"
        " cours, dans un nouvel onglet : les suivants vous connaîtront.",
        "Did you come from a notebook shown inside the course page? Your browser keeps you signed"
        " in inside that page only. Open the GitLab space by its link in the course page, in a new"
        " tab: the tabs after that know you.",
    ),
    "launch_failed": ("Le lien n’a pas pu s’ouvrir", "The link could not be opened"),
    "launch_shape": (
        "La plateforme du cours a envoyé une demande incomplète ou illisible.",
        "The course platform sent an incomplete or unreadable request.",
    ),
    "launch_nobody": (
        "La plateforme ne dit pas qui vous êtes : c’est le cas de l’aperçu de Studio, le même pour"
        " tous les auteurs. Rien n’a été ouvert. Pour essayer ce lien, ouvrez le cours comme vos"
        " étudiants le voient (dans Studio : « Voir en ligne », View live) et cliquez-y.",
        "The platform does not say who you are: so it is in Studio’s preview, which is the same"
        " for all authors. Nothing was opened. To try this link, open the course as learners see"
        " it (in Studio: View live), and click it there.",
    ),
    "launch_busy": (
        "Trop de demandes arrivent en même temps. Réessayez dans un instant.",
        "Too many requests arrive at the same time. Try again in a moment.",
    ),
    "launch_consumer": (
        "Ce site ne connaît pas la plateforme qui vous envoie.",
        "This site does not know the platform that sent you.",
    ),
    "launch_time": (
        "Le lien a expiré : la page du cours est restée ouverte trop longtemps, ou l’horloge"
        " de la plateforme est décalée.",
        "The link has expired: the course page stayed open too long, or the platform’s clock"
        " is off.",
    ),
    "launch_signature": (
        "La signature de la plateforme n’est pas la bonne.",
        "The platform’s signature is not right.",
    ),
    "launch_elsewhere": (
        "Ce lien mène à un autre site que celui-ci.",
        "This link leads to a site other than this one.",
    ),
    "launch_platform": (
        "La plateforme du cours n’a pas ouvert le lien : reconnectez-vous-y.",
        "The course platform did not open the link: sign in there again.",
    ),
    "launch_cookie": (
        "Votre navigateur n’a pas rendu le cookie de ce site à l’intérieur de la page du cours.",
        "Your browser did not give this site’s cookie back inside the course page.",
    ),
    "allow_cookies": (
        "Ouvrez le lien dans un nouvel onglet ; si cette page revient, autorisez les cookies de"
        " ce site.",
        "Open the link in a new tab; if this page comes back, allow this site’s cookies.",
    ),
    "open_new_tab": ("Ouvrir dans un nouvel onglet", "Open in a new tab"),
    "launch_replay": (
        "Ce lien a déjà servi : vous avez peut-être cliqué deux fois.",
        "This link has already been used: maybe you clicked twice.",
    ),
    "course_unknown": (
        "Ce lien désigne un cours que ce site n’ouvre pas depuis votre plateforme.",
        "This link names a course that this site does not open from your platform.",
    ),
    "course_needed": (
        "Ce lien ne dit pas quel cours ouvrir, et il y en a plusieurs.",
        "This link does not say which course to open, and there are several.",
    ),
    "target_unknown": (
        "Ce lien désigne une destination qui n’existe pas.",
        "This link names a destination that does not exist.",
    ),
    "path_wrong": (
        "Ce lien désigne un fichier d’une façon que ce site n’accepte pas.",
        "This link names a file in a way this site does not accept.",
    ),
    # dynamic registration
    "no_invitation": (
        "Ce lien d’inscription n’existe pas, a déjà servi ou a expiré : demandez-en un autre.",
        "This registration link does not exist, has been used or has expired: ask for another.",
    ),
    "not_registered": (
        "La plateforme n’a pas pu être inscrite : demandez un autre lien.",
        "The platform could not be registered: ask for another link.",
    ),
    "registered_title": ("La plateforme est inscrite", "The platform is registered"),
    "registered": (
        "Ce site la connaît sous le nom {name}. Vous pouvez fermer cette fenêtre.",
        "This site knows it as {name}. You may close this window.",
    ),
    # deep linking
    "not_a_teacher": (
        "Seules les personnes qui enseignent dans ce cours peuvent y choisir un lien.",
        "Only those who teach in this course can choose a link for it.",
    ),
    "choose_title": ("Que doit ouvrir ce lien ?", "What should this link open?"),
    "choose_place": ("Le cours, un exercice ou un fichier", "The course, an exercise or a file"),
    "choose_whole": ("Le cours, à sa page de départ", "The course, at its start page"),
    "choose_exercise": ("Exercice : {name}", "Exercise: {name}"),
    "choose_target": ("Où ouvrir un fichier ou le cours", "Where to open a file or the course"),
    "choose_notebook": ("dans le notebook", "in the notebook"),
    "choose_gitlab": ("dans l’espace GitLab", "in the GitLab space"),
    "choose_name": (
        "Son nom dans la page du cours (facultatif)",
        "Its name in the course page (optional)",
    ),
    "choose_done": ("Utiliser ce lien", "Use this link"),
    "choose_cancel": ("Annuler", "Cancel"),
    "choose_going": ("Retour à la plateforme du cours…", "Back to the course platform…"),
    "no_launch": (
        "Aucun cours n’a encore été ouvert avec ce compte.",
        "No course has been opened with this account yet.",
    ),
    "entry_closed": (
        "Ce cours ne vous est plus ouvert ici : le lien par lequel vous étiez venu n’existe plus."
        " Vos fichiers restent ; l’équipe du cours peut dire s’il y a un nouveau lien.",
        "This course is not open to you here any more: the link by which you came is gone."
        " Your files stay; the course team can say whether there is a new link.",
    ),
    "not_signed_in_title": ("Vous n’êtes pas connecté ici", "You are not signed in here"),
    "not_signed_in": (
        "Ouvrez le lien depuis la page du cours. Si vous venez de le faire, votre navigateur a"
        " refusé les cookies de ce site : autorisez-les, ou ouvrez le lien dans un nouvel onglet.",
        "Open the link from the course page. If you have just done so, your browser refused this"
        " site’s cookies: allow them, or open the link in a new tab.",
    ),
    "somebody_else": (
        "Une autre personne est connectée dans ce navigateur.",
        "Somebody else is signed in in this browser.",
    ),
    "switch_title": (
        "Vous êtes {former}. Continuer en tant que {newcomer} ?",
        "You are {former}. Continue as {newcomer}?",
    ),
    "switch": (
        "Ce navigateur est connecté au nom de {former}, et un lien de cours vient d’y être ouvert"
        " au nom de {newcomer}. Si ce n’est pas vous qui avez cliqué sur ce lien, ne continuez"
        " pas.",
        "This browser is signed in as {former}, and a course link has just been opened in it for"
        " {newcomer}. If you did not click that link, do not continue.",
    ),
    "switch_go": ("Continuer en tant que {newcomer}", "Continue as {newcomer}"),
    "switch_stay": ("Rester {former}", "Stay {former}"),
    # in a frame of the course page
    "frame_moment": ("Un instant…", "One moment…"),
    "frame_title": ("À ouvrir dans un nouvel onglet", "To be opened in a new tab"),
    "frame_blocked": (
        "Votre navigateur refuse les cookies de ce site à l’intérieur de la page du cours.",
        "Your browser refuses this site’s cookies inside the course page.",
    ),
    "frame_open": ("Ouvrir dans un nouvel onglet", "Open in a new tab"),
    "frame_opened": (
        "C’est ouvert dans un nouvel onglet. Pour ouvrir de nouveau, rechargez la page du cours.",
        "It is open in a new tab. To open it again, reload the course page.",
    ),
    # starting a server
    "starting_title": ("Votre notebook démarre", "Your notebook is starting"),
    "starting": (
        "La page s’ouvrira d’elle-même dès qu’il sera prêt.",
        "The page will open by itself as soon as it is ready.",
    ),
    "stopping_title": ("Votre notebook s’arrête", "Your notebook is stopping"),
    "stopping": (
        "Il redémarrera dans un instant ; cette page se recharge d’elle-même.",
        "It will start again in a moment; this page reloads by itself.",
    ),
    "queue_title": ("Beaucoup de notebooks démarrent", "Many notebooks are starting"),
    "queue": (
        "Vous êtes à la place {place} dans la file d’attente ; cette page se recharge d’elle-même.",
        "You are number {place} in the queue; this page reloads by itself.",
    ),
    "details": ("Détails", "Details"),
    "progress_space": ("Préparation de l’espace GitLab…", "Preparing the GitLab space…"),
    "progress_no_gitlab": (
        "GitLab ne répond pas : le notebook s’ouvre quand même, à partir d’une copie des"
        " fichiers du cours.",
        "GitLab does not answer: the notebook opens all the same, from a copy of the course’s"
        " files.",
    ),
    "progress_container": ("Création du serveur…", "Creating the server…"),
    "progress_server": ("Démarrage de Jupyter…", "Starting Jupyter…"),
    "spawn_failed_title": ("Le notebook n’a pas démarré", "The notebook did not start"),
    "not_running_title": ("Le notebook est arrêté", "The notebook is stopped"),
    "not_running": (
        "Il s’arrête de lui-même après un temps d’inactivité ; votre travail est conservé.",
        "It stops by itself after a while without activity; your work is kept.",
    ),
    "start": ("Démarrer", "Start"),
    "spawn_image": (
        "L’image de ce cours n’est pas sur le serveur ; prévenez l’équipe du cours.",
        "This course’s image is not on the server; tell the course team.",
    ),
    "spawn_engine": (
        "Le moteur qui fait tourner les notebooks ne répond pas ; réessayez dans une minute.",
        "The engine that runs the notebooks does not answer; try again in a minute.",
    ),
    "spawn_refused": (
        "Le serveur n’a pas pu créer votre notebook ; prévenez l’équipe du cours.",
        "The server could not create your notebook; tell the course team.",
    ),
    "spawn_home": (
        "Vos fichiers ne sont pas accessibles pour le moment ; rien n’est perdu. Réessayez dans"
        " une minute, et si cela se répète, prévenez l’équipe du cours.",
        "Your files cannot be reached at the moment; nothing is lost. Try again in a minute, and"
        " if it happens again, tell the course team.",
    ),
    "spawn_died": (
        "Le notebook s’est arrêté pendant son démarrage ; réessayez, et si cela se répète,"
        " prévenez l’équipe du cours.",
        "The notebook stopped while it was starting; try again, and if it happens again, tell"
        " the course team.",
    ),
    "spawn_course": (
        "Ce cours n’existe pas ici, ou vous ne l’avez pas encore ouvert depuis sa page.",
        "There is no such course here, or you have not opened it from its page yet.",
    ),
    "space_full": (
        "Votre espace est plein\u00a0: {used} sur {size}. Votre travail est conservé, mais rien de"
        " plus ne peut être enregistré\u00a0: ouvrez le notebook et supprimez des fichiers.",
        "Your space is full: {used} of {size}. Your work is kept, but nothing more can be saved:"
        " open the notebook and delete files.",
    ),
    "space_full_of_files": (
        "Votre espace contient trop de fichiers (au plus {most}). Votre travail est conservé, mais"
        " aucun fichier ne peut être ajouté\u00a0: ouvrez le notebook et supprimez des fichiers.",
        "Your space holds too many files ({most} at most). Your work is kept, but no file can be"
        " added: open the notebook and delete files.",
    ),
    "space_largest": ("Les plus gros\u00a0: {files}.", "The largest files are: {files}."),
    # towards GitLab
    "gitlab_title": ("Votre espace GitLab se prépare", "Your GitLab space is being prepared"),
    "gitlab_wait": (
        "La page s’ouvrira d’elle-même ; la première fois, cela peut prendre une minute.",
        "The page will open by itself; the first time, this can take a minute.",
    ),
    "step_queued": ("En attente…", "Waiting…"),
    "step_busy": (
        "GitLab est très demandé ; votre espace suivra dans un moment…",
        "GitLab is very busy; your space will follow in a moment…",
    ),
    "step_account": ("Création de votre compte GitLab…", "Creating your GitLab account…"),
    "step_fork": ("Copie des fichiers du cours…", "Copying the course’s files…"),
    "step_import": ("GitLab finit la copie…", "GitLab is finishing the copy…"),
    "gitlab_down_title": ("GitLab ne répond pas", "GitLab does not answer"),
    "gitlab_down": (
        "Votre espace sera préparé dès son retour ; cette page réessaie d’elle-même. Le"
        " notebook, lui, fonctionne.",
        "Your space will be prepared as soon as it is back; this page tries again by itself."
        " The notebook works meanwhile.",
    ),
    # towards the desk
    "desk_down_title": ("La page des exercices redémarre", "The exercises’ page is restarting"),
    "desk_down": (
        "Cette page réessaie d’elle-même ; votre travail est conservé.",
        "This page tries again by itself; your work is kept.",
    ),
    # other pages
    "home_title": ("Vos cours", "Your courses"),
    "running": ("en marche", "running"),
    "log_out": ("Se déconnecter", "Sign out"),
    "log_out_what": (
        "Vous quitterez vos notebooks, vos exercices et GitLab sur ce navigateur."
        " Vos fichiers restent.",
        "You leave your notebooks, your exercises and GitLab on this browser. Your files stay.",
    ),
    "logged_out": ("Vous êtes déconnecté.", "You are signed out."),
    "error_title": ("Cette page n’a pas pu s’afficher", "This page could not be shown"),
    "not_found": ("Il n’y a rien à cette adresse.", "There is nothing at this address."),
    "error": (
        "Quelque chose s’est mal passé ; réessayez dans une minute.",
        "Something went wrong; try again in a minute.",
    ),
    "forbidden": (
        "Vous n’avez pas accès à cette page.",
        "You do not have access to this page.",
    ),
}

_ALL = {**_TEXT, **DESK_TEXT, **DIAGNOSIS_TEXT, **CHECK_TEXT, **EXERCISE_TEXT, **COURSE_TEXT}


def language(locale: str | None) -> Language:
    """Language for a locale such as ``fr-FR`` or ``pt_BR``: French for fr*, else English."""
    return "fr" if (locale or "").strip().lower().startswith("fr") else "en"


def accepted_language(header: str | None) -> Language:
    """Language for an ``Accept-Language`` header: the first of French and English it names."""
    for part in (header or "").split(","):
        name = part.split(";")[0].strip().lower()
        if name.startswith(("fr", "en")):
            return language(name)
    return "en"


def both(key: str) -> tuple[str, str]:
    """A sentence in French and in English, its fields not filled in.

    Raises:
        KeyError: there is no sentence with that key.
    """
    return _ALL[key]


def say(key: str, lang: Language, **fields: object) -> str:
    """A sentence in one language.

    Raises:
        KeyError: there is no sentence with that key.
    """
    french, english = both(key)
    return (french if lang == "fr" else english).format(**fields)


def knows(key: str) -> bool:
    """Whether there is a sentence with that key."""
    return key in _ALL
