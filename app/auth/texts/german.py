"""The texts in German."""

from __future__ import annotations

GERMAN = {
    "log_in": "Anmelden",
    "log_out": "Abmelden",
    "log_in_again": "Erneut anmelden",
    "try_again": "Noch einmal versuchen",
    "start_page": "Zur Startseite",
    "loading": "Wird geladen …",
    "reference": "Referenz",
    "expires": "Sie werden um {time} Uhr abgemeldet.",
    "signed_out": "Sie sind nicht angemeldet.",
    "no_problem_title": "Alles in Ordnung",
    "no_problem_signed_in": "Sie sind angemeldet.",
    "forbidden_title": "Diese Seite ist nicht für Sie freigegeben",
    "forbidden": "Sie sind angemeldet, dürfen diese Seite aber nicht sehen (Status 403).",
    "step_up_title": "Bitte bestätigen Sie, dass Sie es sind",
    "step_up": "Um diese Seite zu sehen, müssen Sie sich noch einmal anmelden.",
    "step_up_failed_title": "Diese Seite verlangt noch eine weitere Anmeldung",
    "step_up_failed": (
        "Etwa eine mit einem zweiten Faktor. Entweder hat der Anmeldedienst nicht danach gefragt, "
        "oder Sie haben sie nicht abgeschlossen."
    ),
    "provider_says": "Der Anmeldedienst sagt:",
    "log_in_without": "Ohne zweiten Faktor anmelden",
    "not_allowed": "Das dürfen Sie nicht tun.",
    "not_done": (
        "Ihre Anmeldung hat sich geändert. Ihre letzte Eingabe wurde nicht ausgeführt: Bitte "
        "wiederholen Sie sie."
    ),
    "session_unknown": (
        "Ihre Sitzung kann gerade nicht geprüft werden. Sie sind weiterhin angemeldet; versuchen "
        "Sie es noch einmal."
    ),
    "popup_blocked": (
        "Ihr Browser hat das Anmeldefenster blockiert. Die Anmeldung öffnet sich deshalb hier."
    ),
    "logout_title": "Abmelden?",
    "logout": "Sie werden von dieser Anwendung und beim Anmeldedienst abgemeldet.",
    "logout_local": ("Sie werden von dieser Anwendung abgemeldet, aber nicht beim Anmeldedienst."),
    "stay": "Angemeldet bleiben",
    "session": "Ihre Anmeldung",
    "not_found_title": "Hier ist nichts",
    "not_found": "Zu dieser Adresse gehört keine Seite dieser Anwendung.",
    "logout_failed_title": "Gerade nicht möglich",
    "logout_failed": (
        "Sie sind weiterhin angemeldet: Die Anwendung erreicht ihren Sitzungsspeicher nicht. "
        "Versuchen Sie es gleich noch einmal."
    ),
    "logged_out_title": "Sie sind von dieser App abgemeldet",
    "logged_out": (
        "Ein Schritt dieser App ist dabei fehlgeschlagen; ihr Betreiber kann ihn nachschlagen: "
        "Referenz {error_id}. Fahren Sie fort, um sich auch beim Anmeldedienst abzumelden."
    ),
    "finish_logout": "Fortfahren",
    "too_many_title": "Zu viele Versuche",
    "too_many": (
        "Aus Ihrem Netz kamen zu viele Anmeldungen. Versuchen Sie es in {seconds} Sekunden noch "
        "einmal."
    ),
    "popup_title": "Sie können dieses Fenster schließen",
    "popup": "Machen Sie in dem Fenster weiter, aus dem Sie kamen.",
    "close_window": "Dieses Fenster schließen",
    "go_on": "Weiter zur Anwendung",
    "login_problem": "Problem bei der Anmeldung",
    "login_page": "Anmelden",
    "log_in_with": "Mit {provider} anmelden",
    "choose_provider_title": "Anmelden",
    "choose_provider": "Wählen Sie das Konto, mit dem Sie sich anmelden.",
    "login_failed_title": "Die Anmeldung ist fehlgeschlagen",
    "login_failed": "Es ist nichts verloren. Sie können von vorn beginnen.",
    "access_denied_title": "Die Anmeldung wurde abgelehnt",
    "access_denied": (
        "Entweder haben Sie nicht zugestimmt, oder der Anmeldedienst lässt dieses Konto nicht zu. "
        "Es wurde nichts weitergegeben. Sie können sich erneut anmelden; bleibt es dabei, nennen "
        "Sie dem Betreiber dieser App die Referenz."
    ),
    "login_required_title": "Der Anmeldedienst braucht eine Angabe von Ihnen",
    "login_required": "Er konnte Sie nicht ohne Rückfrage anmelden. Melden Sie sich erneut an.",
    "consent_required_title": "Sie haben noch nicht zugestimmt",
    "consent_required": "Der Anmeldedienst möchte Sie zuerst fragen. Melden Sie sich erneut an.",
    "temporarily_unavailable_title": "Der Anmeldedienst ist überlastet",
    "temporarily_unavailable": (
        "Es ist nichts verloren. Warten Sie einen Moment und versuchen Sie es noch einmal."
    ),
    "invalid_scope_title": "Der Anmeldedienst kennt eine Berechtigung nicht",
    "invalid_scope": (
        "Diese Anwendung hat eine verlangt, die es dort nicht gibt. Bleibt es dabei, prüfen Sie "
        "den konfigurierten Scope."
    ),
    "invalid_state_title": "Diese Anmeldung ist nicht mehr offen",
    "invalid_state": (
        "Sie wurde abgeschlossen, hat zu lange gedauert oder begann in einem anderen Browser. "
        "Beginnen Sie hier von vorn. Wenn Sie jedes Mal wieder hierher kommen, sendet Ihr Browser "
        "das Cookie der Anmeldung nicht: Erlauben Sie Cookies für diese Adresse."
    ),
    "cookie_not_sent_title": "Ihr Browser sendet das Cookie nicht",
    "cookie_not_sent": (
        "Bei der Anmeldung bekommt Ihr Browser ein Cookie. Er hat es nicht zurückgesendet; daher "
        "erkennt diese App Sie nicht. Erlauben Sie Cookies für diese Adresse in den Einstellungen "
        "des Browsers, oder verlassen Sie das private Fenster; auch Erweiterungen können sie "
        "sperren. Versuchen Sie es dann noch einmal. Wenn das nicht hilft, nennen Sie dem "
        "Betreiber die Referenz."
    ),
    "invalid_login_link_title": "Dieser Anmeldelink ist ungültig",
    "invalid_login_link": (
        "Er ist beschädigt oder nennt eine API, eine Berechtigung oder eine Einstellung, die diese "
        "Anwendung nicht benutzt. Beginnen Sie auf den Seiten der Anwendung von vorn."
    ),
    "provider_unavailable_title": "Der Anmeldedienst antwortet nicht",
    "provider_unavailable": (
        "Es ist nichts verloren. Warten Sie einen Moment und versuchen Sie es noch einmal."
    ),
    "issuer_mismatch_title": "Der Anmeldedienst ist nicht der eingestellte",
    "issuer_mismatch": (
        "Er hat sich mit einem anderen Namen gemeldet, deshalb wurde die Anmeldung abgebrochen."
    ),
    "userinfo_mismatch_title": "Die Anmeldung konnte nicht geprüft werden",
    "userinfo_mismatch": (
        "Der Anmeldedienst hat eine andere Person beschrieben. Sie sind nicht angemeldet."
    ),
    "provider_error_title": "Der Anmeldedienst hat eine unbrauchbare Antwort gegeben",
    "provider_error": (
        "Die Anmeldung wurde abgebrochen. Bleibt es dabei, prüfen Sie den konfigurierten Issuer."
    ),
    "token_endpoint_error_title": "Der Anmeldedienst hat die Anmeldung nicht abgeschlossen",
    "token_endpoint_error": (
        "Beginnen Sie von vorn. Bleibt es dabei, prüfen Sie Client-ID und Client-Secret."
    ),
    "invalid_id_token_title": "Die Anmeldung konnte nicht geprüft werden",
    "invalid_id_token": (
        "Die Antwort des Anmeldedienstes hat nicht jede Prüfung bestanden. Sie sind nicht "
        "angemeldet."
    ),
    "login_refused_title": "Sie können sich hier nicht anmelden",
    "login_refused": (
        "Diese App nimmt Ihre Anmeldung nicht an. Ihr Betreiber kann Ihnen sagen, warum."
    ),
    "hook_failed_title": "Die Anmeldung konnte nicht abgeschlossen werden",
    "hook_failed": (
        "Ein Schritt dieser App ist fehlgeschlagen, daher sind Sie nicht angemeldet. Versuchen Sie "
        "es noch einmal; bleibt es dabei, nennen Sie ihrem Betreiber die Referenz."
    ),
    "acr_not_met_title": "Der Anmeldedienst hat keinen zweiten Faktor verlangt",
    "acr_not_met": (
        "Dieser Teil der Anwendung verlangt eine Anmeldung mit einem zweiten Faktor oder eine "
        "andere besondere Anmeldung, und der Anmeldedienst hat keine gemeldet. Falls Sie noch "
        "keinen zweiten Faktor haben, richten Sie dort einen ein. Versuchen Sie es danach noch "
        "einmal."
    ),
    "store_unavailable_title": "Anmeldungen können gerade nicht gespeichert werden",
    "store_unavailable": (
        "Es ist nichts verloren. Warten Sie einen Moment und versuchen Sie es noch einmal."
    ),
}
