"""Sentences of the launch diagnosis, in French and English; see :mod:`atelier.i18n.translate`."""

from __future__ import annotations

DIAGNOSIS_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    "diagnosis_title": ("Diagnostic d’un lancement", "Diagnosis of a launch"),
    "diagnosis_staff": (
        "Le diagnostic est réservé aux équipes des cours, et cette plateforme n’est pas déclarée"
        " digne de confiance pour les rôles, ou votre rôle n’en est pas un d’équipe.",
        "The diagnosis is for course teams, and this platform is not declared trusted for roles,"
        " or your role is not one of a team.",
    ),
    "diagnosis_good": (
        "La signature est bonne, l’heure aussi : ce lancement serait accepté.",
        "The signature is right, and so is the time: this launch would be accepted.",
    ),
    "diagnosis_refused": ("Ce lancement est refusé : {reason}", "This launch is refused: {reason}"),
    "diagnosis_clock": (
        "Horloge de la plateforme : {skew} s d’écart avec ce serveur ({window} s sont admises).",
        "The platform’s clock is {skew} s off this server’s ({window} s are allowed).",
    ),
    "diagnosis_leads": (
        "Il mène au cours « {course} », destination « {target} ».",
        "It leads to the course “{course}”, target “{target}”.",
    ),
    "diagnosis_who": ("Vous y êtes {username}.", "You are {username} there."),
    "diagnosis_seen": ("Ce que le serveur a vu", "What the server saw"),
    "diagnosis_sent": ("Ce que la plateforme a envoyé", "What the platform sent"),
    "diagnosis_configured": ("Adresse réglée", "Address configured"),
    "diagnosis_request": ("Adresse vue par le hub", "Address the hub saw"),
    "diagnosis_proxy_changed": (
        "Un relais devant le site change l’adresse : les signatures n’en souffrent pas, elles"
        " portent sur l’adresse réglée, mais les redirections le peuvent.",
        "A proxy in front of the site changes the address: signatures do not suffer, since they"
        " cover the address configured, but redirects may.",
    ),
    "diagnosis_hidden": ("(masqué)", "(hidden)"),
    "diagnosis_begun": (
        "Ce que la plateforme a envoyé d’abord (début de connexion)",
        "What the platform sent first (login initiation)",
    ),
    "diagnosis_token": (
        "Ce que dit le jeton, sans que rien ne le garantisse",
        "What the token says, vouched for by nothing",
    ),
    "cause13_registration": (
        "Cette plateforme n’est plus inscrite ici.",
        "This platform is no longer registered here.",
    ),
    "cause13_no_token": (
        "Ce qui est arrivé n’est pas un jeton lisible.",
        "What arrived is not a readable token.",
    ),
    "cause13_algorithm": (
        "Le jeton est signé par {given} ; sont admis {allowed}.",
        "The token is signed by {given}; {allowed} are allowed.",
    ),
    "cause13_kid_unknown": (
        "Le jeton nomme la clé {kid}, qui n’est pas parmi les {count} clés publiques connues de"
        " cette plateforme : voyez son adresse de clés (JWKS), et si elle répond.",
        "The token names the key {kid}, which is not among the {count} public keys known of this"
        " platform: look at its key address (JWKS), and whether it answers.",
    ),
    "cause13_kid_known": (
        "Le jeton nomme la clé {kid}, qui est connue, mais cette clé ne l’a pas signé.",
        "The token names the key {kid}, which is known, but that key did not sign it.",
    ),
    "cause13_other_key": (
        "C’est la clé {kid} de la même plateforme qui l’a signé.",
        "It is the key {kid} of the same platform that signed it.",
    ),
    "cause13_no_key": (
        "Aucune clé publiée par la plateforme ne l’a signé : elle en a changé sans la publier, ou"
        " le jeton a été changé en route.",
        "No key that the platform publishes signed it: it has changed keys without publishing the"
        " new one, or the token was changed on its way.",
    ),
    "cause13_issuer": (
        "L’émetteur (iss) est {given} : ce n’est pas celui qui est inscrit ici.",
        "The issuer (iss) is {given}: not the one registered here.",
    ),
    "cause13_client": (
        "Le jeton est destiné à (aud) {given}, et la connexion a commencé pour le client {client}.",
        "The token is meant for (aud) {given}, and the login began for the client {client}.",
    ),
    "cause13_party": (
        "La partie autorisée (azp) est {given} : ce doit être le client.",
        "The authorized party (azp) is {given}: it must be the client.",
    ),
    "cause13_deployment": (
        "Le déploiement {given} n’est pas parmi ceux qui sont inscrits ici : ajoutez-le.",
        "The deployment {given} is not among those registered here: add it.",
    ),
    "cause13_nonce": (
        "Le nonce n’est pas celui de cette connexion : le jeton vient d’une autre.",
        "The nonce is not the one of this login: the token comes from another one.",
    ),
    "cause13_expired": (
        "Le jeton a expiré il y a {seconds} s.",
        "The token expired {seconds} s ago.",
    ),
    "cause_address": (
        "La plateforme a signé pour {signed}, et l’adresse est {right} : corrigez-la dans le LMS,"
        " ou le relais devant lui.",
        "The platform signed for {signed}, and the address is {right}: correct it in the LMS, or"
        " the proxy in front of it.",
    ),
    "cause_query": (
        "Les paramètres écrits dans l’adresse n’ont pas été signés : retirez-les de l’adresse.",
        "The parameters written in the address were not signed: remove them from the address.",
    ),
    "cause_former_secret": (
        "C’est un ancien secret de cette clé, qui n’est plus accepté.",
        "This is a former secret of this key, no longer accepted.",
    ),
    "cause_other_secret": (
        "C’est le secret d’une autre clé, {consumer}.",
        "This is the secret of another key, {consumer}.",
    ),
    "cause_space_in_secret": (
        "Le secret a été collé dans le LMS avec une espace ou une fin de ligne en trop.",
        "The secret was pasted into the LMS with a space or a line end too many.",
    ),
    "cause_encoding": (
        "Des valeurs ont été écrites autrement après la signature (fins de ligne, espaces,"
        " caractères échappés) : voyez les paramètres personnalisés.",
        "Values were written otherwise after they were signed (line ends, spaces, escaped"
        " characters): look at the custom parameters.",
    ),
    "cause_unsigned": (
        "Le paramètre {name} a été ajouté après la signature.",
        "The parameter {name} was added after the launch was signed.",
    ),
    "cause_unknown": (
        "Aucune cause habituelle n’explique la signature : le secret du LMS n’est sans doute pas"
        " celui de ce site. Collez-le de nouveau.",
        "No usual cause explains the signature: the LMS’s secret is most likely not this site’s."
        " Paste it again.",
    ),
    "cause_not_looked_for": (
        "La cause n’a pas été cherchée : trop de lancements refusés à la fois. Réessayez.",
        "The cause was not looked for: too many launches refused at once. Try again.",
    ),
}
