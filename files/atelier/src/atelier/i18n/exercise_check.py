"""Sentences about exercises and their checks, part of :mod:`atelier.i18n.translate`.

Their keys begin with ``check_``.
"""

from __future__ import annotations

CHECK_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    # the course repository's atelier.yml
    "check_file_yaml": ("ce n’est pas du YAML valide : {why}", "not valid YAML: {why}"),
    "check_file_deep": (
        "trop de niveaux ou d’alias YAML : écrivez les exercices à plat",
        "too many levels or YAML aliases: write the exercises flat",
    ),
    "check_file_empty": (
        "le fichier est vide : commencez par « version: 1 » puis « exercises: »",
        "the file is empty: begin with `version: 1`, then `exercises:`",
    ),
    "check_file_top": (
        "le fichier doit être une liste de clés : « version: 1 » puis « exercises: »",
        "the file must be a mapping: `version: 1`, then `exercises:`",
    ),
    "check_file_large": (
        "le fichier dépasse {kib} Kio : ce n’est pas une liste d’exercices",
        "the file is over {kib} KiB: this is not a list of exercises",
    ),
    "check_file_encoding": (
        "ce n’est pas de l’UTF-8 : enregistrez le fichier en UTF-8",
        "not UTF-8: save the file as UTF-8",
    ),
    "check_file_twice": (
        "la clé « {name} » y est deux fois (déjà à la ligne {first}) : gardez-en une",
        "the key `{name}` is there twice (already on line {first}): keep one",
    ),
    "check_value_missing": (
        "cette clé manque : ajoutez par exemple « {example} »",
        "this key is missing: add for example `{example}`",
    ),
    "check_value_key": (
        "cette clé n’existe pas : retirez-la",
        "there is no such key: remove it",
    ),
    "check_value_key_near": (
        "cette clé n’existe pas : est-ce « {near} » ?",
        "there is no such key: is it `{near}`?",
    ),
    "check_value_choice": (
        "« {value} » n’est pas possible ici : choisissez parmi {known}",
        "`{value}` is not possible here: choose one of {known}",
    ),
    "check_value_id": (
        "« {value} » : 1 à 63 lettres minuscules sans accent, chiffres ou tirets, comme « pi-2 »",
        "`{value}`: use 1 to 63 lower-case letters, digits or hyphens, such as `pi-2`",
    ),
    "check_value_project": (
        "« {value} » : écrivez le chemin d’un projet GitLab, comme « rr/expected »",
        "`{value}`: write the path of a GitLab project, such as `rr/expected`",
    ),
    "check_value_delimiter": (
        '« {value} » : un seul caractère parmi , ; | ou une tabulation ("\\t")',
        '`{value}`: one character of , ; | or a tab ("\\t")',
    ),
    "check_value_csv_only": (
        "« {option} » n’a de sens que pour un fichier CSV : retirez-le",
        "`{option}` is for CSV files only: remove it",
    ),
    "check_value_bound": (
        "« {value} » n’est pas possible ici : il faut {bound}",
        "`{value}` is not possible here: it must be {bound}",
    ),
    "check_value_date": (
        "« {value} » n’est pas une date : écrivez 2026-03-01 ou 2026-03-01 08:00",
        "`{value}` is not a date: write 2026-03-01 or 2026-03-01 08:00",
    ),
    "check_value_zone": (
        "« {value} » ne dit pas de quel fuseau horaire : ajoutez en haut du fichier"
        " « timezone: Europe/Paris », ou écrivez 2026-03-01T08:00+01:00",
        "`{value}` does not say of which time zone: add `timezone: Europe/Paris` at the top of the"
        " file, or write 2026-03-01T08:00+01:00",
    ),
    "check_value_timezone": (
        "« {value} » n’est pas un fuseau horaire : écrivez par exemple Europe/Paris",
        "`{value}` is not a time zone: write for example Europe/Paris",
    ),
    "check_value_closes": (
        "l’exercice se ferme avant de s’ouvrir : corrigez opens ou closes",
        "the exercise closes before it opens: correct opens or closes",
    ),
    "check_value_format": (
        "l’extension du fichier ne dit pas comment le lire : ajoutez « compare: {{format: text}} »",
        "the file’s ending does not say how to read it: add `compare: {{format: text}}`",
    ),
    "check_value_bool": (
        "« {value} » : écrivez true ou false",
        "`{value}`: write true or false",
    ),
    "check_value_text": (
        "« {value} » n’est pas un texte : mettez-le entre guillemets",
        "`{value}` is not text: put it in quotes",
    ),
    "check_value_empty": ("c’est vide : écrivez quelque chose", "this is empty: write something"),
    "check_value_whole": (
        "« {value} » n’est pas un nombre entier",
        "`{value}` is not a whole number",
    ),
    "check_value_number": (
        "« {value} » n’est pas un nombre (le séparateur décimal est le point)",
        "`{value}` is not a number (the decimal separator is a point)",
    ),
    "check_value_list": (
        "« {value} » : écrivez une liste d’au moins un élément",
        "`{value}`: write a list of at least one item",
    ),
    "check_value_mapping": (
        '« {value} » : écrivez des clés et des valeurs, comme {{fr: "…", en: "…"}}',
        '`{value}`: write keys and values, such as {{fr: "…", en: "…"}}',
    ),
    "check_value_path": (
        "« {value} » n’est pas un chemin dans le dépôt : écrivez par exemple notebooks/pi.ipynb",
        "`{value}` is not a path inside the repository: write for example notebooks/pi.ipynb",
    ),
    "check_value_other": ("« {value} » ne convient pas ({why})", "`{value}` does not do ({why})"),
    "check_id_twice": (
        "l’identifiant « {id} » est déjà pris à la ligne {first} : donnez-en un autre",
        "the id `{id}` is already taken on line {first}: give it another",
    ),
    # the repository beside it
    "check_no_file": (
        "il n’y a pas de fichier « {file} » dans ce dossier",
        "there is no file `{file}` in this folder",
    ),
    "check_no_expected": (
        "il n’y a pas de réponse attendue « {file} » dans le dossier des réponses attendues",
        "there is no expected answer `{file}` in the folder of expected answers",
    ),
    "check_expected_in_template": (
        "la réponse attendue « {file} » est dans le dépôt que les apprenants reçoivent :"
        " déplacez-la dans le projet des réponses attendues",
        "the expected answer `{file}` is in the repository that learners get: move it to the"
        " project of expected answers",
    ),
    "check_expected_same": (
        "la réponse attendue est le fichier du modèle lui-même : il n’y aurait rien à faire",
        "the expected answer is the template’s own file: there would be nothing to do",
    ),
    "check_expected_unusable": (
        "la réponse attendue « {file} » ne se lit pas : {why}",
        "the expected answer `{file}` cannot be read: {why}",
    ),
    "check_given_unusable": (
        "le fichier « {file} » du modèle ne se lit pas : {why}",
        "the template’s file `{file}` cannot be read: {why}",
    ),
    "check_nothing_counts": (
        "aucun bloc de la réponse attendue ne compte avec cette règle (kinds, given) : tout"
        " rendu aurait 1",
        "no block of the expected answer counts by this rule (kinds, given): whatever is handed"
        " in would score 1",
    ),
    "check_no_exercise": (
        "il n’y a pas d’exercice « {id} » ; il y a : {known}",
        "there is no exercise `{id}`; there are: {known}",
    ),
    "check_no_folder": ("{folder} n’est pas un dossier", "{folder} is not a folder"),
    "check_no_commit": ("il n’y a pas de commit {where}", "there is no commit {where}"),
    "check_all_right": (
        "{count} exercice(s), rien à corriger.",
        "{count} exercise(s), nothing to mend.",
    ),
    "check_no_exercises": (
        "Pas de fichier {file} : ce dépôt ne déclare aucun exercice.",
        "No file {file}: this repository declares no exercise.",
    ),
    # a file that cannot be compared
    "check_problem_missing": (
        "Ce fichier n’est pas dans votre espace GitLab : il a été renommé, supprimé, ou pas"
        " encore enregistré.",
        "This file is not in your GitLab space: it was renamed, deleted, or not saved yet.",
    ),
    "check_problem_empty": ("Ce fichier est vide.", "This file is empty."),
    "check_problem_large": (
        "Ce fichier dépasse {limit} Mio : effacez les sorties trop longues et enregistrez de"
        " nouveau.",
        "This file is over {limit} MiB: clear the outputs that are too long and save again.",
    ),
    "check_problem_binary": (
        "Ce fichier n’est pas du texte : il a sans doute été remplacé par un autre.",
        "This file is not text: it was probably replaced by another one.",
    ),
    "check_problem_json": (
        "Ce notebook est abîmé (ligne {line} du fichier) : ouvrez-le dans Jupyter et"
        " enregistrez de nouveau, ou reprenez une version plus ancienne dans GitLab.",
        "This notebook is damaged (line {line} of the file): open it in Jupyter and save it"
        " again, or take an earlier version from GitLab.",
    ),
    "check_problem_deep": (
        "Ce fichier a trop de niveaux imbriqués pour être comparé.",
        "This file is nested too deeply to be compared.",
    ),
    "check_problem_notebook": (
        "Ce fichier n’est pas un notebook : il n’a pas de cellules.",
        "This file is not a notebook: it has no cells.",
    ),
    "check_problem_conflict": (
        "Une fusion a laissé ses marques (<<<<<<<) dans ce notebook : reprenez une des deux"
        " versions dans GitLab.",
        "A merge left its marks (<<<<<<<) in this notebook: take one of the two versions from"
        " GitLab.",
    ),
    "check_problem_blocks": (
        "Ce fichier a {count} blocs ou cellules ; au plus {limit} sont comparés.",
        "This file has {count} blocks or cells; at most {limit} are compared.",
    ),
    "check_problem_rows": (
        "Ce tableau a trop de lignes ; au plus {limit} sont comparées.",
        "This table has too many rows; at most {limit} are compared.",
    ),
    "check_problem_csv": (
        "Ce tableau ne se lit pas (ligne {line}) : vérifiez les guillemets et les séparateurs.",
        "This table cannot be read (line {line}): look at quotes and separators.",
    ),
    "check_problem_time": (
        "La comparaison a pris trop de temps et a été arrêtée. Le fichier est sans doute bien"
        " plus grand ou plus compliqué que prévu.",
        "The comparison took too long and was stopped. The file is probably much larger or more"
        " complicated than meant.",
    ),
    "check_problem_memory": (
        "La comparaison a demandé trop de mémoire et a été arrêtée. Le fichier est sans doute"
        " bien plus grand que prévu.",
        "The comparison needed too much memory and was stopped. The file is probably much larger"
        " than meant.",
    ),
    "check_problem_expected": (
        "La réponse attendue de cet exercice ne se lit pas ; l’équipe du cours doit la corriger.",
        "The expected answer of this exercise cannot be read; the course team has to mend it.",
    ),
    # what a reader should know
    "check_warn_encoding": (
        "Le fichier est en {encoding} ; enregistrez-le en UTF-8.",
        "The file is in {encoding}; save it as UTF-8.",
    ),
    "check_warn_encoding_line": (
        "Le fichier n’est pas en UTF-8 (ligne {line}) ; il a été lu comme du Windows-1252.",
        "The file is not UTF-8 (line {line}); it was read as Windows-1252.",
    ),
    "check_warn_conflict": (
        "Une fusion a laissé ses marques (<<<<<<<) dans le fichier : choisissez entre les deux"
        " versions.",
        "A merge left its marks (<<<<<<<) in the file: choose between the two versions.",
    ),
    "check_limit_shown": (
        "{count} partie(s) sont trop longues pour être montrées en entier ; elles comptent"
        " quand même.",
        "{count} part(s) are too long to be shown whole; they count all the same.",
    ),
    # the rule that gave the score
    "check_rule_blocks": (
        "{count} bloc(s) comptent, chacun autant ; un bloc vaut la part de mots, nombres et"
        " signes en commun.",
        "{count} block(s) count, each the same; a block is worth the share of words, numbers and"
        " signs in common.",
    ),
    "check_rule_rows": (
        "{count} ligne(s) comptent, chacune autant ; une ligne vaut la part de cases en commun.",
        "{count} row(s) count, each the same; a row is worth the share of cells in common.",
    ),
    "check_rule_kinds": ("Seuls comptent : {kinds}.", "Only these count: {kinds}."),
    "check_rule_metadata": (
        "Le titre, l’auteur et la date en tête de fichier ne comptent pas.",
        "Title, author and date at the head of the file do not count.",
    ),
    "check_rule_given": (
        "Ce que le cours donne ne compte pas : le fichier de départ vaut 0.",
        "What the course gives does not count: the file as it was given scores 0.",
    ),
    "check_rule_extra_ignored": (
        "Ce qui est en plus ne compte pas.",
        "What is there besides does not count.",
    ),
    "check_rule_extra_counted": (
        "Ce qui est en plus compte contre la réponse.",
        "What is there besides counts against the answer.",
    ),
    "check_rule_order_matters": (
        "Ce qui n’est pas à sa place vaut la moitié.",
        "What is not in its place is worth half.",
    ),
    "check_rule_order_free": ("L’ordre ne compte pas.", "The order does not count."),
    "check_rule_spaces_ignored": (
        "Les espaces et les retours à la ligne ne comptent pas (sauf le retrait, en Python).",
        "Spaces and line wrapping do not count (but indentation does in Python).",
    ),
    "check_rule_spaces_exact": (
        "Les espaces et les retours à la ligne comptent.",
        "Spaces and line breaks count.",
    ),
    "check_rule_case": (
        "Majuscules et minuscules se valent.",
        "Capital and small letters are the same.",
    ),
    "check_rule_absolute": (
        "Deux nombres à {most} près sont égaux.",
        "Two numbers within {most} are equal.",
    ),
    "check_rule_relative": (
        "Deux nombres à {most} % près sont égaux.",
        "Two numbers within {most} % are equal.",
    ),
    "check_rule_outputs": ("Les sorties comptent.", "Outputs count."),
    "check_rule_no_outputs": ("Les sorties ne comptent pas.", "Outputs do not count."),
    # about one part
    "check_note_moved": ("n’est pas à sa place", "is not in its place"),
    "check_note_heading": ("titre différent", "heading with another name"),
    "check_note_level": ("titre d’un autre niveau", "heading of another level"),
    "check_note_kind": ("bloc d’une autre sorte", "block of another kind"),
    "check_note_language": ("code dans un autre langage", "code in another language"),
    "check_note_near": (
        "{count} nombre(s) égaux à la tolérance près",
        "{count} number(s) equal within the tolerance",
    ),
    "check_note_option": ("l’option {option} diffère", "the option {option} differs"),
    "check_note_option_extra": ("l’option {option} est en plus", "the option {option} is extra"),
    "check_note_option_missing": ("l’option {option} manque", "the option {option} is missing"),
    "check_note_option_missing_hint": ("une option manque", "an option is missing"),
    # kinds of blocks
    "check_kind_heading": ("titre", "heading"),
    "check_kind_prose": ("texte", "text"),
    "check_kind_list": ("liste", "list"),
    "check_kind_quote": ("citation", "quotation"),
    "check_kind_table": ("tableau", "table"),
    "check_kind_code": ("code", "code"),
    "check_kind_output": ("sortie", "output"),
    "check_kind_metadata": ("en-tête", "head of the file"),
    "check_kind_raw": ("texte brut", "raw text"),
    "check_kind_row": ("ligne du tableau", "row of the table"),
}
