"""playbooks/learners.yml: from a CSV file to accounts and forks."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._identity import username
from kit import playbook
from kit.classroom import Classroom, environment


@pytest.fixture
def course(room: Classroom) -> Classroom:
    gitlab = room.gitlab
    group = gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    project = gitlab.projects.create({"name": "template", "namespace_id": group.id})
    project.commits.create(
        {"branch": "main", "commit_message": "first",
         "actions": [{"action": "create", "file_path": "a.md", "content": "a"}]}
    )  # fmt: skip
    return room


def run(
    room: Classroom, content: bytes, *options: str, **variables: Any
) -> subprocess.CompletedProcess[str]:
    (room.folder / "class.csv").write_bytes(content)
    inventory = room.folder / "hosts.yml"
    site = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
        "atelier_domain": "mooc.example.org",
        "atelier_gitlab_url": room.url,
        "gitlab_token_file": str(room.token_file),
        "atelier_courses": [{"slug": room.prefix}],
        "atelier_consumers": [{"key": "k", "platform": "fun"}, {"key": "l", "platform": "moodle"}],
        **variables,
    }
    inventory.write_text(json.dumps({"atelier": {"hosts": {"site": {}}, "vars": site}}))
    return playbook.run(
        *("-i", inventory, "mooc.atelier.learners", "-e", "learners_csv=class.csv", *options),
        cwd=room.folder,
        env=environment(room.folder, {"PWD": str(room.folder)}),
    )


def test_a_list_becomes_accounts_and_forks(course: Classroom) -> None:
    ids = [f"{course.prefix}-{number}" for number in range(3)]
    names = [username("fun", identity) for identity in ids]
    content = (
        "\ufeffplatform;user_id;name;email\r\n"
        + f"fun;{ids[0]};Zoé Müller;{course.prefix}zoe@example.org\r\n"
        + f'fun;{ids[1]};"Doe; Jo";\r\n'
        + "\r\n"
        + f"fun;{ids[2]};;\r\n"
    ).encode()
    checked = run(course, content, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert course.gitlab.users.list(username=names[0]) == []
    first = run(course, content)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "changed=2" in first.stdout
    users = [course.gitlab.users.list(username=name)[0] for name in names]
    assert [user.name for user in users] == ["Zoé Müller", "Doe; Jo", names[2]]
    assert users[1].email == f"{names[1]}@users.noreply.mooc.example.org"
    for name in names:
        fork = course.gitlab.projects.get(f"{name}/{course.prefix}")
        assert fork.import_status == "finished"
    again = run(course, content)
    assert again.returncode == 0
    assert "changed=0" in again.stdout


def test_bad_rows_are_told_by_line_and_nothing_is_changed(course: Classroom) -> None:
    good = f"{course.prefix}-good"
    content = "\n".join(
        [
            "platform,user_id,name,email",
            f"fun,{good},Good,good{course.prefix}@example.org",
            "fun,,No Id,a@example.org",
            f"fun,{good},Again,b@example.org",
            'moodle,7,=HYPERLINK("x"),c@example.org',
            f"moodle,8,Same mail,GOOD{course.prefix}@example.org",
            "mooodle,9,Wrong platform,d@example.org",
        ]
    )
    done = run(course, content.encode())
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "has 5 problems; nothing was changed" in told
    assert "line 3: user_id is missing" in told
    assert "line 4: the same learner as on line 2" in told
    assert "line 5: name begins with '='" in told
    assert "line 6: the same e-mail address as on line 2" in told
    assert "line 7: the platform 'mooodle' is not one of this site's (fun, moodle)" in told
    assert course.gitlab.users.list(username=username("fun", good)) == []

    latin = "platform,user_id,name\nfun,1,Zoé\nfun,2,René\n".encode("latin-1")
    done = run(course, latin)
    told = " ".join((done.stdout + done.stderr).split())
    assert "line 2: not UTF-8 (byte 0xe9" in told
    assert "line 3: not UTF-8" in told


def test_a_platform_that_launches_by_lti_1_3_alone(course: Classroom) -> None:
    identity = f"{course.prefix}-13"
    done = run(
        course,
        f"platform,user_id,name\nopenedx,{identity},Ada\n".encode(),
        atelier_registrations=[{"key": "edx", "platform": "openedx"}],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    name = username("openedx", identity)
    assert course.gitlab.projects.get(f"{name}/{course.prefix}").import_status == "finished"


def test_a_name_that_looks_like_a_template_is_a_name(course: Classroom) -> None:
    identity = f"{course.prefix}-t"
    name = "{{ lookup('pipe', 'id') }} {% raw %}"
    done = run(course, f'platform,user_id,name\nfun,{identity},"{name}"\n'.encode())
    assert done.returncode == 0, done.stdout + done.stderr
    (user,) = course.gitlab.users.list(username=username("fun", identity))
    assert user.name == name


def test_one_learner_refused_the_others_get_their_space(course: Classroom) -> None:
    ids = [f"{course.prefix}-{number}" for number in range(2)]
    names = [username("fun", identity) for identity in ids]
    course.gitlab.users.create(
        {"username": f"x{course.prefix}", "name": "X", "email": f"x{course.prefix}@example.org",
         "force_random_password": True, "skip_confirmation": True}
    )  # fmt: skip
    content = (
        "platform,user_id,name,email\n"
        f"fun,{ids[0]},One,x{course.prefix}@example.org\nfun,{ids[1]},Two,\n"
    )
    done = run(course, content.encode())
    assert done.returncode != 0
    assert f"{names[0]}: GitLab refuses (409): Email has already been taken" in done.stdout
    assert course.gitlab.projects.get(f"{names[1]}/{course.prefix}").import_status == "finished"


def test_a_course_that_is_not_there(room: Classroom) -> None:
    done = run(room, b"platform,user_id\nfun,1\n", "-e", "course=none")
    assert '"none" is not among atelier_courses' in " ".join(done.stdout.split())
