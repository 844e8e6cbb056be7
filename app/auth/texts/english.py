"""The texts in English, which every other language falls back on."""

from __future__ import annotations

# The page for login problems: a title and a text for each stable code.
PROBLEMS = {
    "login_failed_title": "The login failed",
    "login_failed": "Nothing is lost. You can start again.",
    # One code for a user who declined, and for a policy or a setting at the login service.
    "access_denied_title": "The login was declined",
    "access_denied": (
        "Either you did not allow it, or the login service does not let this account in. Nothing "
        "was shared. You can log in again; if this persists, tell the operator of this app the "
        "reference."
    ),
    "login_required_title": "The login service needs your attention",
    "login_required": "It could not log you in without asking you something. Log in again.",
    "consent_required_title": "You have not allowed it yet",
    "consent_required": "The login service wants to ask you first. Log in again.",
    "temporarily_unavailable_title": "The login service is busy",
    "temporarily_unavailable": "Nothing is lost. Wait a moment, then try again.",
    "invalid_scope_title": "The login service does not know a permission",
    "invalid_scope": (
        "This app asked for one that does not exist there. If this persists, check the configured "
        "scope."
    ),
    "invalid_state_title": "This login is no longer open",
    "invalid_state": (
        "It was finished, took too long, or began in another browser. Start again from here. If "
        "you come back to this page each time, your browser does not send the cookie of the login: "
        "allow cookies for this address."
    ),
    "cookie_not_sent_title": "Your browser does not send the cookie",
    "cookie_not_sent": (
        "The login sets a cookie in your browser, and it did not come back, so this app does not "
        "know you. Allow cookies for this address in the browser's settings, or leave the private "
        "window; extensions may block them, too. Then try again. If this persists, tell the "
        "operator of this app the reference."
    ),
    "invalid_login_link_title": "This login link is not valid",
    "invalid_login_link": (
        "It is damaged, or names an API, a permission or a setting that this app does not use. "
        "Start again from the app's pages."
    ),
    "provider_unavailable_title": "The login service does not answer",
    "provider_unavailable": "Nothing is lost. Wait a moment, then try again.",
    "issuer_mismatch_title": "The login service is not the one that was configured",
    "issuer_mismatch": "It identified itself by another name, so the login was stopped.",
    "userinfo_mismatch_title": "The login could not be verified",
    "userinfo_mismatch": "The login service described another user, so you are not logged in.",
    "provider_error_title": "The login service gave an unusable answer",
    "provider_error": "The login was stopped. If this persists, check the configured issuer.",
    "token_endpoint_error_title": "The login service refused to finish the login",
    "token_endpoint_error": (
        "Start again. If this persists, check the client ID and the client secret."
    ),
    "invalid_id_token_title": "The login could not be verified",
    "invalid_id_token": (
        "The login service's answer did not pass every check, so you are not logged in."
    ),
    "login_refused_title": "You cannot log in here",
    "login_refused": "This app does not accept your login. Its operator can tell you why.",
    "hook_failed_title": "The login could not be completed",
    "hook_failed": (
        "A step of this app failed, so you are not logged in. Try again; if this persists, tell "
        "its operator the reference."
    ),
    "acr_not_met_title": "The login service did not ask for a second factor",
    "acr_not_met": (
        "This part of the app requires a login with a second factor, or another special login, and "
        "the login service did not report one. If you have no second factor yet, set one up there. "
        "Then try again."
    ),
    "store_unavailable_title": "Logins cannot be saved right now",
    "store_unavailable": "Nothing is lost. Wait a moment, then try again.",
}

ENGLISH = {
    "log_in": "Log in",
    "log_out": "Log out",
    "log_in_again": "Log in again",
    "log_in_with": "Log in with {provider}",
    "choose_provider_title": "Log in",
    "choose_provider": "Choose the account to log in with.",
    "try_again": "Try again",
    "start_page": "Go to the start page",
    "loading": "Loading…",
    "reference": "Reference",
    "expires": "You will be logged out at {time}.",
    "signed_out": "You are not logged in.",
    "no_problem_title": "Nothing is wrong",
    "no_problem_signed_in": "You are logged in.",
    "forbidden_title": "This page is not for you",
    "forbidden": "You are logged in, but you lack what it takes to see it (status 403).",
    "step_up_title": "Confirm that it is you",
    "step_up": "You have to log in once more to see this page.",
    "step_up_failed_title": "This page still requires another login",
    "step_up_failed": (
        "For example, one with a second factor. Either the login service did not ask you for it, "
        "or you did not finish it."
    ),
    "provider_says": "The login service says:",
    "log_in_without": "Log in without a second factor",
    "not_allowed": "You may not do this.",
    "not_done": (
        "Your login has changed. What you did last was not carried out: please do it again."
    ),
    "session_unknown": (
        "Your session cannot be checked right now. You are still logged in; try again."
    ),
    "popup_blocked": "Your browser blocked the login window, so the login opens here.",
    # The documents of the backend.
    "logout_title": "Log out?",
    "logout": "You will be logged out of this app and at the login provider.",
    "logout_local": "You will be logged out of this app, but not at the login provider.",
    "stay": "Stay logged in",
    "session": "Your login",
    "not_found_title": "There is nothing here",
    "not_found": "This address belongs to no page of this app.",
    "logout_failed_title": "Not just now",
    "logout_failed": (
        "You are still logged in: the app cannot reach its session store. Try again in a moment."
    ),
    "logged_out_title": "You are logged out of this app",
    "logged_out": (
        "A step of this app failed on the way; its operator can look it up: reference {error_id}. "
        "Go on to log out at the login provider, too."
    ),
    "finish_logout": "Go on",
    "too_many_title": "Too many attempts",
    "too_many": "There were too many logins from your network. Try again in {seconds} seconds.",
    "popup_title": "You can close this window",
    "popup": "Go on in the window that you came from.",
    "close_window": "Close this window",
    "go_on": "Go on to the app",
    "login_problem": "Login problem",
    "login_page": "Log in",
    **PROBLEMS,
}
