"""Sentences of the desk's pages, in French and English; see :mod:`atelier.i18n.translate`."""

from __future__ import annotations

DESK_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    "desk_nav": ("Pages du site", "Pages of the site"),
    "other_language": ("English", "Français"),
    "signed_in_as": ("Connecté : {name}", "Signed in: {name}"),
    "back": ("Retour", "Back"),
    "desk_trouble": ("Cela n’a pas pu se faire", "This could not be done"),
    "sign_in_stale": (
        "La connexion a expiré, ou quelqu’un d’autre s’est connecté dans ce navigateur. Rien n’a"
        " été changé.",
        "The sign-in has expired, or somebody else has signed in in this browser. Nothing was"
        " changed.",
    ),
    "sign_in_refused": (
        "Ce compte n’a pas accès à cette page.",
        "This account has no access to this page.",
    ),
    "hub_down": (
        "Le site redémarre ; réessayez dans une minute.",
        "The site is restarting; try again in a minute.",
    ),
    "page_gitlab_down": (
        "GitLab ne répond pas ; réessayez dans une minute. Rien n’a été changé.",
        "GitLab does not answer; try again in a minute. Nothing was changed.",
    ),
    "page_gitlab_busy": (
        "GitLab reçoit trop de demandes en ce moment ; réessayez dans {seconds} s. Rien n’a été"
        " changé.",
        "GitLab is receiving too many requests at the moment; try again in {seconds} s. Nothing was"
        " changed.",
    ),
    "page_gitlab_refuses": (
        "GitLab a refusé ; prévenez l’équipe du cours. Rien n’a été changé.",
        "GitLab refused; tell the course team. Nothing was changed.",
    ),
    "form_wrong": (
        "Ce formulaire n’est plus valable : rouvrez la page et recommencez. Rien n’a été changé.",
        "This form is no longer good: open the page again and start over. Nothing was changed.",
    ),
    # My GitLab access
    "access_title": ("Mon accès à GitLab", "My GitLab access"),
    "access_none": (
        "Votre compte GitLab n’existe pas encore : ouvrez d’abord l’espace GitLab depuis la page"
        " de votre cours.",
        "Your GitLab account does not exist yet: open the GitLab space from your course page"
        " first.",
    ),
    "access_course": (
        "Depuis la page du cours, un clic suffit. Cette page est pour les autres fois : sans le"
        " cours, ou depuis votre ordinateur.",
        "From the course page, one click does it. This page is for the other times: without the"
        " course, or from your own computer.",
    ),
    "access_web": ("Dans un navigateur", "In a browser"),
    "access_address": ("Adresse de GitLab", "GitLab’s address"),
    "access_username": ("Votre nom d’utilisateur", "Your username"),
    "access_email": ("Votre adresse dans GitLab", "Your address in GitLab"),
    "access_sign_in": ("Page de connexion sans le cours", "Sign-in page without the course"),
    "access_password": (
        "Il vous faut un mot de passe : GitLab vous envoie de quoi en choisir un. Donnez-lui"
        " l’adresse ci-dessus.",
        "You need a password: GitLab sends you what it takes to choose one. Give it the address"
        " above.",
    ),
    "access_password_mail": ("Demander le courriel de GitLab", "Ask for GitLab’s mail"),
    "access_leaves": (
        "Ce lien termine la session GitLab ouverte dans ce navigateur.",
        "This link ends the GitLab session open in this browser.",
    ),
    "access_no_address": (
        "GitLab ne peut pas vous envoyer de mot de passe : il n’a pas votre adresse. Celle que"
        " votre plateforme de cours aurait donnée n’a pas été reprise, pour que personne d’autre"
        " ne puisse s’en servir. Passez par la page du cours, ou utilisez un jeton (ci-dessous)"
        " sur votre ordinateur.",
        "GitLab cannot send you a password: it does not have your address. The one your course"
        " platform may have given was not taken over, so that nobody else could make use of it."
        " Come through the course page, or use a token (below) on your own computer.",
    ),
    "access_no_mail": (
        "Ce GitLab n’envoie pas de courriel, donc pas de mot de passe. Passez par la page du"
        " cours, ou utilisez un jeton (ci-dessous) sur votre ordinateur.",
        "This GitLab sends no mail, hence no password. Come through the course page, or use a"
        " token (below) on your own computer.",
    ),
    "access_clone": ("Sur votre ordinateur", "On your own computer"),
    "access_clone_how": (
        "Dans un terminal, avec Git installé. Quand Git demande le mot de passe, collez un jeton.",
        "In a terminal, with Git installed. When Git asks for the password, paste a token.",
    ),
    "access_no_space": (
        "Aucun espace n’est prêt encore : ouvrez-le depuis la page de votre cours.",
        "No space is ready yet: open it from your course page.",
    ),
    "copy": ("Copier", "Copy"),
    "copied": ("Copié", "Copied"),
    "command_of": ("Commande pour {course}", "Command for {course}"),
    "tokens_title": ("Vos jetons", "Your tokens"),
    "tokens_what": (
        "Un jeton tient lieu de mot de passe pour Git, et pour Git seulement. Ne le donnez à"
        " personne ; révoquez-le quand il ne sert plus ou si vous l’avez perdu.",
        "A token stands for a password with Git, and with Git only. Give it to nobody; revoke it"
        " when it is no longer of use or if you have lost it.",
    ),
    "tokens_none": ("Aucun jeton en ce moment.", "No token at present."),
    "token_name": ("Nom", "Name"),
    "token_made": ("Créé le", "Made on"),
    "token_until": ("Valable jusqu’au (inclus)", "Good until (inclusive)"),
    "token_used": ("Utilisé le", "Used on"),
    "token_never": ("jamais", "never"),
    "token_revoke": ("Révoquer", "Revoke"),
    "token_revoke_named": ("Révoquer {label}", "Revoke {label}"),
    "token_new": ("Créer un jeton", "Make a token"),
    "token_label": (
        "À quoi sert-il ? (par exemple : mon portable)",
        "What is it for? (for instance: my laptop)",
    ),
    "token_days": ("Durée", "Life"),
    "days": ("{count} jours", "{count} days"),
    "token_shown": (
        "Voici votre jeton. Il n’est montré qu’une fois : copiez-le maintenant.",
        "Here is your token. It is shown once only: copy it now.",
    ),
    "token_last_day": ("Valable jusqu’au {day} inclus.", "Good until {day} inclusive."),
    "token_revoked": (
        "Le jeton est révoqué : il n’ouvre plus rien.",
        "The token is revoked: it opens nothing any more.",
    ),
    "token_label_wrong": (
        "Donnez au jeton un nom de 1 à 60 caractères. Rien n’a été créé.",
        "Give the token a name of 1 to 60 characters. Nothing was made.",
    ),
    "token_label_taken": (
        "Un de vos jetons porte déjà ce nom. Rien n’a été créé.",
        "One of your tokens already has that name. Nothing was made.",
    ),
    "token_days_wrong": (
        "Choisissez une des durées proposées. Rien n’a été créé.",
        "Choose one of the lives offered. Nothing was made.",
    ),
    "token_too_many": (
        "Vous avez déjà dix jetons : révoquez-en un d’abord. Rien n’a été créé.",
        "You already have ten tokens: revoke one first. Nothing was made.",
    ),
    "token_gone": (
        "Ce jeton n’existe plus, ou n’a pas été créé ici.",
        "That token no longer exists, or was not made here.",
    ),
}
