"""What visitors of the site meet; run on the server with the word `up` or `down`.

`up`: the services behind answer; `down`: they do not. Ends with the number of things looked at,
or at the first that is not as it should be.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from visitor import (
    GITLAB,
    HUB,
    LEARNER,
    LMS,
    PEOPLE,
    PLACES,
    PORT,
    SESSIONS,
    Answer,
    Site,
    ask,
    plain,
)


def address_is_passed_on_unchanged() -> None:
    lies = {
        "X-Scheme": "http", "Forwarded": "proto=http;host=evil.example",
        "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Port": "1",
    }  # fmt: skip
    for host, port in ((HUB, 8000), (GITLAB, 8929), (LMS, 8010)):
        facts = ask(host, "/a%2Fb/../c?x=1%20", headers=lies).facts()
        assert facts["port"] == port
        assert facts["path"] == "/a%2Fb/../c?x=1%20", facts["path"]
        headers = facts["headers"]
        assert headers["host"] == headers["x-forwarded-host"] == f"{host}:{PORT}"
        assert headers["x-forwarded-proto"] == headers["x-scheme"] == "https"
        assert headers["x-forwarded-port"] == str(PORT)
        assert headers["x-forwarded-for"] == headers["x-real-ip"] == "127.0.0.1"
        assert "forwarded" not in headers


def address_is_the_same_to_who_asks_for_http2() -> None:
    """Not spoken where a learner's page can fill the jar: the answer to that would be lost."""
    command = ["curl", "--silent", "--http2", "--resolve", f"{HUB}:{PORT}:127.0.0.1"]
    written = subprocess.run(
        [*command, "--write-out", "\n%{http_version}", f"https://{HUB}:{PORT}/x"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    facts, version = written.rsplit("\n", 1)
    assert version == "1.1"
    assert json.loads(facts)["headers"]["host"] == f"{HUB}:{PORT}"


def launch_address_explains_itself() -> None:
    for method in ("GET", "HEAD"):
        answer = ask(HUB, "/hub/lti/launch", method)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Cache-Control"] == "no-store"
    page = ask(HUB, "/hub/lti/launch?utm_source=mail").body.decode()
    assert "depuis la page de votre cours" in page
    assert "from your course page" in page
    assert "help@example.org" in page


def launches_reach_the_hub() -> None:
    facts = ask(HUB, "/hub/lti/launch", "POST", body=b"oauth_consumer_key=k").facts()
    assert (facts["method"], facts["received"]) == ("POST", 20)
    for query in (
        "iss=https%3A%2F%2Flms&login_hint=1",
        "oauth_consumer_key=k",
        "lti_version=LTI-1p0",
    ):
        assert ask(HUB, f"/hub/lti/launch?{query}").facts()["method"] == "GET"
    assert ask(HUB, "/hub/lti/launch", "POST", body=b"x" * 200_000).facts()["received"] == 200_000
    assert ask(HUB, "/hub/lti/launch", "POST", body=b"x" * 300_000).status == 413
    assert ask(HUB, "/hub/lti/launchpad").facts()["port"] == 8000
    assert ask(HUB, "/launch.html").status == 404


def entering_gitlab_ends_the_session_before() -> None:
    answer = ask(
        GITLAB,
        "/-/atelier/enter?to=/uabc/demo/-/blob/main/a%20b%C3%A9.md",
        headers={"Cookie": "_gitlab_session=x"},
    )
    assert answer.status == 302
    assert answer.headers["Location"] == "/uabc/demo/-/blob/main/a%20b%C3%A9.md"
    assert answer.headers["Cache-Control"] == "no-store"
    both_sessions_end(answer)


def both_sessions_end(answer: Answer) -> None:
    gone = set()
    for cookie in answer.cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        domain = next((part for part in attributes if part.startswith("domain=")), "")
        gone.add((cookie.split("=", 1)[0], domain, "partitioned" in attributes))
        assert {"path=/", "max-age=0", "secure", "httponly", "samesite=none"} <= attributes
    assert gone == {
        (name, place, apart) for name in SESSIONS for place in PLACES for apart in (False, True)
    }
    assert len(answer.cookies) == len(gone)


def two_sessions_of_gitlab_end_both() -> None:
    kept = "_gitlab_session=1; theme=a_gitlab_session=2; x_gitlab_session=3"
    assert ask(GITLAB, "/u/demo", headers={"Cookie": kept}).facts()["port"] == 8929
    for cookies in (
        "_gitlab_session=1; _gitlab_session=2",
        "a=1; _gitlab_session=1; b=2; _gitlab_session=2; c=3",
        "remember_user_token=1;remember_user_token=2",
    ):
        for path in ("/u/demo", "/users/sign_in", "/users/auth/oauth2_generic/callback?code=x"):
            answer = ask(GITLAB, path, headers={"Cookie": cookies, **PEOPLE})
            assert answer.status == 200
            assert answer.headers["Clear-Site-Data"] == '"cookies"'
            assert "Go back to your course page" in answer.body.decode()
            both_sessions_end(answer)


def a_full_jar_is_emptied() -> None:
    for host in (HUB, GITLAB, LEARNER):
        for cookies in ("a=" + "x" * 9000, "; ".join(f"a{n}={'x' * 3500}" for n in range(170))):
            answer = ask(host, "/user/u/demo/lab", headers={"Cookie": cookies})
            assert answer.status == 431, (host, answer.status)
            assert answer.headers["Clear-Site-Data"] == '"cookies"'


def a_learner_s_host_has_their_server_and_nothing_else() -> None:
    facts = ask(LEARNER, "/user/uaaaaaaaaaaaaaaaa/demo/lab").facts()
    assert (facts["port"], facts["headers"]["host"]) == (8000, f"{LEARNER}:{PORT}")
    for path in ("/hub/home", "/hub/api/", "/hub", "/hub/lti/launch", "/metrics", "/x"):
        assert ask(LEARNER, path).status == 404, path
    assert ask(LEARNER, "/hub/static/css/style.css").facts()["port"] == 8000
    there = f"https://{HUB}:{PORT}"
    for path, place in (("/", "/hub/home"), ("/services/desk/a?b=c", "/services/desk/a?b=c")):
        assert ask(LEARNER, path).headers["Location"] == there + place
    assert ask(LEARNER, "/services/desk/a", "POST", body=b"x").status == 302
    assert plain(LEARNER, "/user/u/").headers["Location"] == f"https://{LEARNER}:{PORT}/user/u/"


def the_hub_s_host_takes_nothing_for_a_learner_s_server() -> None:
    assert ask(HUB, "/user/uaaaaaaaaaaaaaaaa/demo/lab").facts()["method"] == "GET"
    for method in ("POST", "PUT", "DELETE"):
        assert ask(HUB, "/user/uaaaaaaaaaaaaaaaa/demo/api", method, body=b"x").status == 403


def a_learner_s_page_has_no_say_beyond_itself() -> None:
    answer = ask(LEARNER, "/user/uaaaaaaaaaaaaaaaa/demo/page")
    assert answer.status == 200
    assert answer.headers["Service-Worker-Allowed"] is None
    assert answer.headers["Clear-Site-Data"] is None
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask(GITLAB, "/u/demo/page").headers["Cache-Control"] == "no-store"


def leaving_gitlab_ends_the_session_and_leads_to_the_hub() -> None:
    there = f"https://{HUB}:{PORT}/hub/atelier/go"
    answer = ask(GITLAB, "/-/atelier/leave?course=demo&target=notebook&path=a%20b.ipynb")
    assert answer.status == 302
    assert answer.headers["Location"] == f"{there}?course=demo&target=notebook&path=a%20b.ipynb"
    both_sessions_end(answer)
    for query in ("", "https://evil.example/", "@evil.example", "%0d%0aSet-Cookie:x=1"):
        answer = ask(GITLAB, f"/-/atelier/leave?{query}")
        assert answer.headers["Location"].startswith(there), query
        both_sessions_end(answer)


def entering_gitlab_leads_nowhere_else() -> None:
    hostile = (
        "", "to=", "to=https://evil.example/", "to=//evil.example", "to=/%5Cevil.example",
        "to=/\\evil.example", "to=/\\/evil.example", "to=%2F%2Fevil.example", "to=/a//b",
        "to=/a%0D%0ASet-Cookie:x=1", "to=/a%00", "to=/a%7Fb", "to=javascript:alert(1)",
        "to=evil.example", "to=%09//evil.example", "to=/%09/evil.example", "to=.evil.example",
        "to=@evil.example", "to=/%5c%5cevil.example", "to=/a%zz", 'to=/a"b', "to=/a<b>",
    )  # fmt: skip
    for query in hostile:
        answer = ask(GITLAB, f"/-/atelier/enter?{query}")
        assert (answer.status, answer.headers["Location"]) == (302, "/"), (
            query,
            answer.headers["Location"],
        )
        both_sessions_end(answer)
    for good in ("/", "/u/demo", "/u/demo?x", "/u/demo/-/tree/main/a+b@c,(d)!"):
        answer = ask(GITLAB, f"/-/atelier/enter?to={good.split('?')[0]}")
        assert answer.headers["Location"] == good.split("?")[0]


def other_paths_of_gitlab_keep_their_session() -> None:
    answer = ask(GITLAB, "/-/atelier/enterprise")
    assert answer.facts()["port"] == 8929
    assert answer.cookies == []


def platforms_may_show_what_a_person_looks_at() -> None:
    for host, path, own in ((GITLAB, "/u/demo", ""), (LEARNER, "/user/u/demo/lab", "'self' ")):
        answer = ask(host, path)
        assert answer.headers["X-Frame-Options"] is None
        policy = answer.headers["Content-Security-Policy"]
        assert policy == f"frame-ancestors {own}https://lms.campus.example"
    # The hub and the desk say it themselves; programs look at no frame.
    untouched = ((HUB, "/hub/home"), (GITLAB, "/api/v4/user"), (GITLAB, "/u/demo.git/info/refs"))
    for host, path in untouched:
        answer = ask(host, path)
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["Content-Security-Policy"] is None


def errors_of_the_services_are_theirs() -> None:
    assert ask(HUB, "/hub/api/503").facts()["port"] == 8000
    assert ask(GITLAB, "/api/v4/503", headers=PEOPLE).facts()["port"] == 8929
    assert ask(GITLAB, "/some/404", headers=PEOPLE).facts()["port"] == 8929
    restarting = ask(GITLAB, "/some/502", headers=PEOPLE)
    assert restarting.status == 502
    assert "GitLab ne répond pas" in restarting.body.decode()


def websockets_pass() -> None:
    connection = Site(HUB, PORT, timeout=20)
    connection.connect()
    connection.sock.sendall(
        f"GET /upgrade HTTP/1.1\r\nHost: {HUB}:{PORT}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
    )
    received = b""
    while chunk := connection.sock.recv(4096):
        received += chunk
    assert received.startswith(b"HTTP/1.1 101 ")
    assert received.endswith(b"spoken through")


def silence_is_borne_except_on_pages_of_gitlab() -> None:
    borne = [
        (HUB, "/slow"),
        (GITLAB, "/api/v4/slow"),
        (GITLAB, "/u/demo.git/git-upload-pack/slow"),
    ]
    with ThreadPoolExecutor() as askers:
        page = askers.submit(ask, GITLAB, "/u/demo/slow", headers=PEOPLE)
        answers = list(askers.map(lambda place: ask(*place), borne))
    assert [answer.facts()["path"] for answer in answers] == [path for _, path in borne]
    assert page.result().status == 504
    assert "GitLab ne répond pas" in page.result().body.decode()


def large_files_pass_up_to_the_limit() -> None:
    megabyte = b"x" * 1024 * 1024
    notebook = "/user/u/demo/api/contents/a.ipynb"
    too_large = {"Content-Length": str(65 * 1024 * 1024)}
    assert ask(HUB, "/hub/upload", "POST", body=megabyte * 2).status == 413
    assert ask(LEARNER, notebook, "PUT", headers=too_large, body=b"").status == 413
    stored = ask(LEARNER, notebook, "PUT", body=megabyte * 40)
    assert stored.facts()["received"] == 40 * 1024 * 1024
    push = ask(GITLAB, "/u/demo.git/git-receive-pack", "POST", body=megabyte * 60)
    assert push.facts()["received"] == 60 * 1024 * 1024


def http_leads_to_https() -> None:
    answer = plain(HUB, "/hub/home?x=1")
    assert (answer.status, answer.headers["Location"]) == (
        301,
        f"https://{HUB}:{PORT}/hub/home?x=1",
    )
    assert plain(HUB, "/.well-known/acme-challenge/nothing").status == 404


def unknown_names_are_refused() -> None:
    assert plain("evil.example", "/").status == 404
    refused = False
    try:
        ask("evil.example", "/")
    except ssl.SSLError:
        refused = True
    assert refused, "a certificate was shown to somebody who asked for another name"
    connection = Site(HUB, PORT, timeout=20)
    connection.request("GET", "/", headers={"Host": "evil.example"})
    assert connection.getresponse().status in (404, 421)


def old_protocols_are_refused() -> None:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    refused = False
    try:
        context.wrap_socket(socket.create_connection(("127.0.0.1", PORT), 20), server_hostname=HUB)
    except ssl.SSLError:
        refused = True
    assert refused


def nothing_tells_the_version() -> None:
    for answer in (ask(GITLAB, "/-/atelier/enter"), plain(HUB, "/"), ask(HUB, "/launch.html")):
        assert answer.headers["Server"] == "nginx"
        assert b"nginx/" not in answer.body


def logs_keep_no_sign_in_codes() -> None:
    ask(HUB, "/hub/oauth_callback?code=verysecretcode")
    log = Path("/var/log/nginx/atelier.access.log")
    # nginx writes the line once the answer is sent: whoever has the answer may be ahead of it.
    for _ in range(100):
        text = log.read_text()
        if "/hub/oauth_callback" in text:
            break
        time.sleep(0.1)
    assert "/hub/oauth_callback" in text
    assert "verysecretcode" not in text
    assert log.stat().st_mode & 0o777 == 0o640


def absence_is_explained() -> None:
    for host, words in ((HUB, "Les notebooks ne répondent pas"), (GITLAB, "GitLab ne répond pas")):
        answer = ask(host, "/some/page", headers=PEOPLE)
        assert answer.status == 502
        assert answer.headers["Content-Type"].startswith("text/html")
        assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == (
            "30",
            "no-store",
        )
        page = answer.body.decode()
        assert words in page
        assert "not answer at the moment" in page
        program = ask(host, "/some/page", headers={"Accept": "*/*"})
        assert program.status in (502, 503)
        assert program.headers["Content-Type"].startswith("text/plain")
        assert b"Try again" in program.body
    assert ask(HUB, "/hub/lti/launch").status == 200
    assert ask(HUB, "/hub/lti/launch", "POST", PEOPLE, b"x=1").status == 502
    assert ask(GITLAB, "/-/atelier/enter?to=/a").status == 302


UP = (
    address_is_passed_on_unchanged,
    address_is_the_same_to_who_asks_for_http2,
    launch_address_explains_itself,
    launches_reach_the_hub,
    entering_gitlab_ends_the_session_before,
    entering_gitlab_leads_nowhere_else,
    leaving_gitlab_ends_the_session_and_leads_to_the_hub,
    two_sessions_of_gitlab_end_both,
    a_full_jar_is_emptied,
    a_learner_s_host_has_their_server_and_nothing_else,
    the_hub_s_host_takes_nothing_for_a_learner_s_server,
    a_learner_s_page_has_no_say_beyond_itself,
    other_paths_of_gitlab_keep_their_session,
    platforms_may_show_what_a_person_looks_at,
    errors_of_the_services_are_theirs,
    websockets_pass,
    silence_is_borne_except_on_pages_of_gitlab,
    large_files_pass_up_to_the_limit,
    http_leads_to_https,
    unknown_names_are_refused,
    old_protocols_are_refused,
    nothing_tells_the_version,
    logs_keep_no_sign_in_codes,
)

if __name__ == "__main__":
    looked_at = UP if sys.argv[1] == "up" else (absence_is_explained,)
    for look in looked_at:
        print(look.__name__.replace("_", " "), flush=True)
        look()
    print(f"{len(looked_at)} as they should be")
