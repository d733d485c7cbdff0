"""The pages, in French and English. They work without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from string import Template
from typing import Any

from lms.unit import COURSE_TITLE, LEARNERS, LINKS, PLATFORM_NAME, Learner, Link

WORDS = {
    "fr": {
        "course": "Cours",
        "progress": "Progression",
        "module": "Module 1",
        "unit": "Cahier de notes, cahier de laboratoire",
        "earlier": "Introduction",
        "later": "La main à la pâte : une analyse réplicable",
        "you": "Vous êtes",
        "be": "Devenir",
        "other": "English",
        "other_code": "en",
        "new_tab": "s'ouvre dans un nouvel onglet",
        "external": "ressource externe",
        "intro": "Dans cette séquence, vous travaillez dans deux espaces à vous : un serveur "
        "Jupyter pour calculer, un dépôt GitLab pour garder l'histoire de votre travail. Vous "
        "n'avez ni compte à créer ni mot de passe à retenir.",
        "demo": "Page de démonstration : elle tient la place d'une plateforme de cours et signe "
        "ses liens avec le code LTI d'Open edX. Les deux apprenants sont fictifs.",
        "opening": "Ouverture de la ressource…",
        "press": "Continuer",
        "press_why": "Si rien ne se passe, appuyez sur « Continuer ».",
        "teach": "Vous enseignez ? Choisir ce qu'un lien ouvre",
        "chosen": "Ce que vous avez choisi",
        "nothing": "Rien n'a été choisi.",
        "missing": "Cette page n'existe pas.",
        "back": "Retour au cours",
        "learners": "Apprenant",
        "contents": "Contenu du cours",
        "skip": "Aller au contenu",
        "grade": "Votre note :",
        "no_grade": "pas encore",
    },
    "en": {
        "course": "Course",
        "progress": "Progress",
        "module": "Module 1",
        "unit": "Notebooks and laboratory journals",
        "earlier": "Introduction",
        "later": "Hands on: a replicable analysis",
        "you": "You are",
        "be": "Become",
        "other": "Français",
        "other_code": "fr",
        "new_tab": "opens in a new tab",
        "external": "external resource",
        "intro": "In this sequence you work in two spaces of your own: a Jupyter server to "
        "compute, and a GitLab repository to keep the history of your work. There is no account "
        "to create and no password to remember.",
        "demo": "Demonstration page: it stands for a course platform and signs its links with "
        "Open edX's LTI code. Both learners are fictitious.",
        "opening": "Opening the resource…",
        "press": "Continue",
        "press_why": "If nothing happens, press “Continue”.",
        "teach": "You teach? Choose what a link opens",
        "chosen": "What you chose",
        "nothing": "Nothing was chosen.",
        "missing": "This page does not exist.",
        "back": "Back to the course",
        "learners": "Learner",
        "contents": "Course contents",
        "skip": "Skip to content",
        "grade": "Your grade:",
        "no_grade": "not yet",
    },
}

STYLE = """
:root { --ink: #1d2433; --soft: #5b6475; --line: #d9dee7; --brand: #0b5a7a; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.55 system-ui, "DejaVu Sans", sans-serif; color: var(--ink);
  background: #f4f6f9; }
a { color: var(--brand); }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem; }
header { background: var(--paper); border-bottom: 1px solid var(--line); }
.bar { max-width: 72rem; margin: auto; padding: .75rem 1.25rem; display: flex; flex-wrap: wrap;
  gap: .5rem 1.25rem; align-items: center; }
.bar .name { font-weight: 700; color: var(--brand); margin-right: auto; }
form.who { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 0; }
button, .go { font: inherit; border-radius: .3rem; padding: .45rem .9rem; cursor: pointer;
  text-decoration: none; display: inline-block; }
button { border: 1px solid var(--brand); background: var(--paper); color: var(--brand); }
.go, button.go { border: 1px solid var(--brand); background: var(--brand); color: #fff; }
button:hover, .go:hover { filter: brightness(.94); }
:focus-visible { outline: 3px solid #f0a500; outline-offset: 2px; }
.tabs { background: var(--brand); }
.tabs p { max-width: 72rem; margin: auto; padding: .55rem 1.25rem; color: #fff; display: flex;
  gap: 1.5rem; }
.tabs span { opacity: .75; }
.columns { max-width: 72rem; margin: 1.5rem auto; padding: 0 1.25rem; display: grid; gap: 1.5rem;
  grid-template-columns: 17rem 1fr; }
@media (max-width: 50rem) { .columns { grid-template-columns: 1fr; } }
nav, main { background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; }
nav { padding: 1rem 1.25rem; align-self: start; }
nav h2 { font-size: 1rem; margin: 0 0 .5rem; }
nav ol { list-style: none; margin: 0; padding: 0; color: var(--soft); }
nav li { padding: .35rem 0 .35rem .75rem; border-left: 3px solid var(--line); }
nav li[aria-current] { border-color: var(--brand); color: var(--ink); font-weight: 600; }
main { padding: 1.5rem 1.75rem 1.75rem; }
.crumbs { color: var(--soft); font-size: .9rem; margin: 0; }
h1 { font-size: 1.5rem; margin: .25rem 0 1rem; line-height: 1.25; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: 1.1rem; }
section h2 { font-size: 1.15rem; margin: 0; }
.kind { color: var(--soft); font-size: .85rem; }
.note { font-size: .9rem; color: var(--soft); border-left: 3px solid #f0a500;
  padding-left: .75rem; margin-top: 2rem; }
"""

_PAGE = Template("""<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
$body
</body>
</html>
""")


def _page(language: str, title: str, body: str) -> str:
    return _PAGE.substitute(lang=language, title=escape(title), body=body)


def _header(language: str, who: Learner) -> str:
    words = WORDS[language]
    others = "".join(
        f'<button name="learner" value="{other.slug}">{words["be"]} {escape(other.name)}</button>'
        for other in LEARNERS
        if other != who
    )
    return f"""<a class="skip" href="#content">{words["skip"]}</a>
<header>
<div class="bar"><span class="name">{escape(PLATFORM_NAME)}</span>
<form class="who" method="post" action="/learner" aria-label="{words["learners"]}">
<span>{words["you"]} <strong id="learner">{escape(who.name)}</strong></span>{others}</form>
<a href="/?lang={words["other_code"]}" lang="{words["other_code"]}">{words["other"]}</a></div>
<div class="tabs"><p><strong>{words["course"]}</strong> <span>{words["progress"]}</span></p></div>
</header>"""


def _block(language: str, link: Link, score: float | None) -> str:
    words = WORDS[language]
    shown = words["no_grade"] if score is None else f"{score:.0%}"
    grade = f'<p>{words["grade"]} <strong id="{link.slug}-grade">{shown}</strong></p>'
    return f"""<section aria-labelledby="{link.slug}-title">
<h2 id="{link.slug}-title">{escape(link.title[language])}</h2>
<p class="kind">{words["external"]}</p>
<p>{escape(link.text[language])}</p>
{grade if link.graded else ""}
<a class="go" id="{link.slug}" href="/launch/{link.slug}" target="_blank" rel="noopener"
 title="{words["new_tab"]}">{escape(link.button[language])} <span aria-hidden="true">↗</span></a>
</section>"""


def unit(language: str, who: Learner, grades: Mapping[str, float | None]) -> str:
    """Return the course unit as `who` sees it, with their grades (0..1) by link."""
    words = WORDS[language]
    blocks = "\n".join(_block(language, link, grades.get(link.slug)) for link in LINKS)
    title = COURSE_TITLE[language]
    body = f"""{_header(language, who)}
<div class="columns">
<nav aria-label="{words["contents"]}"><h2>{words["module"]}</h2>
<ol><li>{words["earlier"]}</li><li aria-current="page">{words["unit"]}</li>
<li>{words["later"]}</li></ol></nav>
<main id="content">
<p class="crumbs">{escape(title)} / {words["module"]}</p>
<h1>{words["unit"]}</h1>
<p>{words["intro"]}</p>
{blocks}
<p><a id="choose" href="/lti13/choose">{words["teach"]}</a></p>
<p class="note">{words["demo"]}</p>
</main>
</div>"""
    return _page(language, f"{words['unit']} | {title}", body)


def launch(language: str, link: Link, address: str, form: list[tuple[str, str]], nonce: str) -> str:
    """Return the page that posts a signed launch: by itself, or by its button."""
    words = WORDS[language]
    fields = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in form
    )
    body = f"""<div class="columns"><main id="content">
<h1>{escape(link.title[language])}</h1>
<p role="status">{words["opening"]}</p>
<form id="launch" method="post" action="{escape(address)}">
{fields}
<button class="go">{words["press"]}</button>
<p class="kind">{words["press_why"]}</p>
</form>
</main></div>
<script nonce="{nonce}">document.getElementById("launch").submit();</script>"""
    return _page(language, link.title[language], body)


def chosen(language: str, items: list[dict[str, Any]]) -> str:
    """Return the page after a teacher's choice: what the tool's signed answer says."""
    words = WORDS[language]
    told = "".join(
        f"<dt>{escape(str(item.get('title', '')))}</dt>"
        f"<dd><code>{escape(json.dumps(item.get('custom', {}), ensure_ascii=False))}</code></dd>"
        for item in items
    )
    body = f"""<div class="columns"><main id="content"><h1>{words["chosen"]}</h1>
{f"<dl>{told}</dl>" if told else f"<p>{words['nothing']}</p>"}
<p><a href="/">{words["back"]}</a></p></main></div>"""
    return _page(language, words["chosen"], body)


def missing(language: str) -> str:
    """Return the page for an address that leads nowhere."""
    words = WORDS[language]
    body = f"""<div class="columns"><main id="content"><h1>{words["missing"]}</h1>
<p><a href="/">{words["back"]}</a></p></main></div>"""
    return _page(language, words["missing"], body)
