"""Sentences of the pages on exercises; looked up through :mod:`atelier.i18n.translate`."""

from __future__ import annotations

EXERCISE_TEXT: dict[str, tuple[str, str]] = {
    # key: (French, English)
    "exercises_title": ("Exercices", "Exercises"),
    "exercise_title": ("Exercice", "Exercise"),
    "exercise_dates": ("État", "State"),
    "exercise_checks": ("Vérifications", "Checks"),
    "exercise_is_upcoming": ("ouvre plus tard", "opens later"),
    "exercise_is_open": ("ouvert", "open"),
    "exercise_is_closed": ("fermé", "closed"),
    "exercise_left": (
        "{left} vérification(s) sur {limit} restent",
        "{left} of {limit} checks left",
    ),
    "exercise_file": ("Fichier :", "File:"),
    "exercise_notebook": ("L’ouvrir dans le notebook", "Open it in the notebook"),
    "exercise_saved_only": (
        "La vérification porte sur ce que vous avez enregistré dans GitLab. Ce qui n’est"
        " qu’ouvert, ou enregistré dans le notebook seulement, n’en fait pas partie.",
        "The check looks at what you have saved to GitLab. What is only open, or saved in the"
        " notebook alone, is not in it.",
    ),
    "exercise_check": ("Vérifier ma réponse", "Check my answer"),
    "exercise_check_again": ("Vérifier de nouveau", "Check again"),
    "exercise_no_space": (
        "Votre espace n’est pas prêt : ouvrez d’abord le notebook ou l’espace GitLab de ce cours.",
        "Your space is not ready: open this course’s notebook or GitLab space first.",
    ),
    "exercise_preparing": (
        "Votre espace se prépare ; cette page se recharge d’elle-même.",
        "Your space is being prepared; this page reloads by itself.",
    ),
    "exercise_upcoming": (
        "Cet exercice n’est pas encore ouvert.",
        "This exercise is not open yet.",
    ),
    "exercise_closed": (
        "Cet exercice est fermé : les réponses ne sont plus prises.",
        "This exercise is closed: answers are no longer taken.",
    ),
    "exercise_no_attempt": (
        "Vous avez utilisé toutes les vérifications de cet exercice.",
        "You have used all the checks of this exercise.",
    ),
    "exercise_busy": (
        "Le serveur est très occupé et n’a pas pu comparer votre réponse. Rien n’a été retenu :"
        " réessayez dans quelques minutes.",
        "The server is very busy and could not compare your answer. Nothing was recorded: try again"
        " in a few minutes.",
    ),
    "exercise_pause": (
        "Comparer votre fichier prend trop de temps. Attendez quelques minutes avant de réessayer ;"
        " un notebook sans ses sorties se compare plus vite.",
        "Comparing your file takes too long. Wait a few minutes before you try again; a notebook"
        " without its outputs is compared faster.",
    ),
    "exercise_stopped": (
        "La comparaison s’est arrêtée avant la fin. Rien n’a été retenu : réessayez, et si cela se"
        " répète, prévenez l’équipe du cours.",
        "The comparison stopped before its end. Nothing was recorded: try again, and if it happens"
        " again, tell the course team.",
    ),
    "exercise_unknown": (
        "Il n’y a pas d’exercice de ce nom dans ce cours.",
        "There is no exercise of that name in this course.",
    ),
    "exercise_course_unknown": ("Il n’y a pas de cours de ce nom.", "There is no such course."),
    "exercise_none": (
        "Ce cours n’a pas d’exercice à vérifier.",
        "This course has no exercise to check.",
    ),
    "exercise_no_file": (
        "Ce fichier n’est la réponse d’aucun exercice.",
        "This file is the answer to no exercise.",
    ),
    "exercise_declaration_wrong": (
        "La liste des exercices de ce cours contient une erreur ; prévenez l’équipe du cours.",
        "This course’s list of exercises has a mistake in it; tell the course team.",
    ),
    "exercise_expected_wrong": (
        "La réponse attendue de cet exercice manque ou ne peut pas être lue ; prévenez l’équipe"
        " du cours. Cette vérification n’est pas comptée.",
        "This exercise’s expected answer is missing or cannot be read; tell the course team."
        " This check is not counted.",
    ),
    "staff_only": (
        "Cette page est réservée à l’équipe du cours.",
        "This page is for the course’s team.",
    ),
    # the result
    "result_title": ("Résultat", "Result"),
    "result_version": ("Version vérifiée :", "Version checked:"),
    "result_checked": ("Vérifiée le {at}.", "Checked on {at}."),
    "result_rule": ("D’où vient cette note", "Where this score comes from"),
    "verdict_expected": ("C’est la réponse attendue.", "This is the expected answer."),
    "verdict_passed": ("Réussi, à quelques différences près.", "Passed, with some differences."),
    "verdict_not_yet": ("Pas encore.", "Not yet."),
    "view_split": ("Côte à côte", "Side by side"),
    "view_unified": ("À la suite", "One below the other"),
    "legend": (
        "+ : dans votre réponse ; \u2212 : attendu ; souligné : en plus ; barré : manquant ;"
        " pointillé : accepté.",
        "+: in your answer; \u2212: expected; underlined: extra; struck out: missing;"
        " dotted: accepted.",
    ),
    "shown_hints": (
        "Vous voyez où votre réponse diffère, pas ce qui était attendu.",
        "You see where your answer differs, not what was expected.",
    ),
    "side_answer": ("Votre réponse", "Your answer"),
    "side_expected": ("Réponse attendue", "Expected answer"),
    "sign_answer": ("dans la réponse :", "in the answer:"),
    "sign_expected": ("attendu :", "expected:"),
    "fold_parts": ("{count} partie(s) comme attendu", "{count} part(s) as expected"),
    "fold_rows": ("{count} lignes identiques", "{count} equal lines"),
    "part_heading": ("Titre", "Heading"),
    "part_prose": ("Texte", "Prose"),
    "part_list": ("Liste", "List"),
    "part_quote": ("Citation", "Quotation"),
    "part_table": ("Tableau", "Table"),
    "part_code": ("Bloc de code", "Code"),
    "part_output": ("Sortie", "Output"),
    "part_metadata": ("Métadonnées", "Metadata"),
    "part_raw": ("Bloc brut", "Raw block"),
    "part_row": ("Ligne", "Row"),
    "part_not_counted": ("non noté", "not graded"),
    "part_cut": (
        "La suite de cette partie est trop longue pour être montrée.",
        "The rest of this part is too long to be shown.",
    ),
    "state_equal": ("comme attendu", "as expected"),
    "state_changed": ("diffère", "differs"),
    "state_added": ("en plus", "extra"),
    "state_removed": ("manque", "missing"),
    "state_moved": ("déplacé", "moved"),
    # the teacher's page
    "answers_title": ("Réponses du cours", "The course’s answers"),
    "answer_of": ("Réponse de {name},", "Answer of {name},"),
    "answers_all": ("Tous", "All"),
    "answers_choose": ("Choisir", "Choose"),
    "answers_csv": ("Télécharger en CSV", "Download as CSV"),
    "answers_recheck": ("Noter de nouveau pour tous", "Grade again for everyone"),
    "answers_recheck_what": (
        "Chaque version vérifiée est comparée de nouveau avec la réponse attendue d’aujourd’hui.",
        "Each version checked is compared again with today’s expected answer.",
    ),
    "answers_left": (
        "{count} réponse(s) restent à comparer ; rechargez la page pour voir où cela en est.",
        "{count} answer(s) are still to be compared; reload the page to see how far it is.",
    ),
    "answers_failed": (
        "{count} note(s) que la plateforme n’a pas prises.",
        "{count} grade(s) that the platform has not taken.",
    ),
    "answers_resend": ("Renvoyer maintenant", "Send again now"),
    "answers_count": ("{count} réponse(s)", "{count} answer(s)"),
    "answers_learner": ("Apprenant", "Learner"),
    "answers_checked": ("Vérifiée le", "Checked on"),
    "answers_grade": ("Note dans le cours", "Grade in the course"),
    "exercise_total": ("Ensemble du cours", "Whole course"),
    "score_best": ("Meilleure note", "Best score"),
    "score_last": ("Dernière note", "Last score"),
    "grade_none": ("aucune", "none"),
    "grade_sent": ("transmise", "sent"),
    "grade_waiting": (
        "le cours n’en demande pas",
        "the course asks for none",
    ),
    "grade_owed": ("en route", "on its way"),
    "grade_failed": ("échec", "failed"),
}
