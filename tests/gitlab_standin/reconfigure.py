"""``gitlab-ctl reconfigure``.

Gitlab.rb becomes settings, secrets are made, the database is seeded once.
"""

import json
import logging
import os
import secrets
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

from gitlab_standin import config, models, security
from gitlab_standin.database import Database
from gitlab_standin.paths import Paths

HERE = Path(__file__).parent
log = logging.getLogger("gitlab_standin.reconfigure")


class ReconfigureError(Exception):
    """What makes ``gitlab-ctl reconfigure`` stop; the text is for the operator."""


def evaluate(gitlab_rb: Path) -> dict[str, Any]:
    """Run GITLAB_OMNIBUS_CONFIG and the file through Ruby.

    ReconfigureError with Ruby's own words.
    """
    done = subprocess.run(
        [
            "ruby",
            str(HERE / "omnibus/evaluate.rb"),
            str(gitlab_rb),
            str(HERE / "omnibus/names.txt"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stderr:
        log.warning("%s", done.stderr.rstrip())
    if done.returncode:
        raise ReconfigureError(done.stderr.strip() or "gitlab.rb could not be evaluated")
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _write_private(path: Path, text: str) -> None:
    """Write with mode 0600, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def _make_secrets(paths: Paths) -> None:
    if paths.secrets.exists():
        return
    keys = ("secret_key_base", "db_key_base", "otp_key_base", "encrypted_settings_key_base")
    content = {
        "gitlab_workhorse": {"secret_token": secrets.token_hex(32)},
        "gitlab_shell": {"secret_token": secrets.token_hex(32)},
        "gitlab_rails": {key: secrets.token_hex(64) for key in keys},
    }
    _write_private(paths.secrets, json.dumps(content, indent=2) + "\n")


def _make_ca_bundle(paths: Paths) -> None:
    """The system's authorities and those in trusted-certs, as Omnibus links them at reconfigure."""
    system = ssl.get_default_verify_paths()
    bundle = Path(os.environ.get("SSL_CERT_FILE") or system.cafile or system.openssl_cafile)
    texts = [bundle.read_text()] if bundle.is_file() else []
    trusted = paths.etc / "trusted-certs"
    trusted.mkdir(parents=True, exist_ok=True)
    for certificate in sorted(trusted.iterdir()):
        if certificate.suffix in {".crt", ".pem", ".cer"}:
            text = certificate.read_text()
            try:
                ssl.create_default_context(cadata=text)
            except ssl.SSLError as error:
                raise ReconfigureError(f"{certificate} is not a certificate: {error}") from error
            texts.append(text)
    paths.ca_bundle.parent.mkdir(parents=True, exist_ok=True)
    paths.ca_bundle.write_text("\n".join(texts))


def _initial_password(paths: Paths, values: dict[str, Any]) -> str:
    rails = values.get("gitlab_rails") or {}
    given = os.environ.get("GITLAB_ROOT_PASSWORD") or rails.get("initial_root_password") or ""
    if given:
        if len(str(given)) < 8:
            raise ReconfigureError(
                "The length of the initial root password must be at least 8 characters."
            )
        return str(given)
    password = secrets.token_urlsafe(32)
    _write_private(
        paths.etc / "initial_root_password",
        "# Removed by the first reconfigure after 24 hours.\n\nPassword: " + password + "\n",
    )
    return password


def _remove_old_password_file(paths: Paths) -> None:
    stale = paths.etc / "initial_root_password"
    if stale.exists() and time.time() - stale.stat().st_mtime > 24 * 3600:
        stale.unlink()


def _seed(database: Database, settings: config.Config, password: str) -> None:
    with database.write() as session:
        namespace = models.Namespace(
            kind="user", name="Administrator", path="root", full_path="root"
        )
        session.add(namespace)
        session.flush()
        root = models.User(
            username="root",
            name="Administrator",
            email=f"admin@{settings.host}" if "." in settings.host else "admin@example.com",
            state="active",
            is_admin=True,
            can_create_group=True,
            projects_limit=100000,
            password_hash=security.hash_password(password),
            confirmed_at=models.now(),
            namespace_id=namespace.id,
        )
        session.add(root)
        session.flush()
        namespace.owner_id = root.id


def run(paths: Paths, gitlab_rb: Path | None = None) -> config.Config:
    """Reconfigure; returns the settings now in force. ReconfigureError leaves the old ones."""
    source = gitlab_rb or paths.gitlab_rb
    paths.etc.mkdir(parents=True, exist_ok=True)
    if gitlab_rb is None and not paths.gitlab_rb.exists():
        shutil.copyfile(HERE / "omnibus/gitlab.rb.template", paths.gitlab_rb)
        paths.gitlab_rb.chmod(0o600)
    values = evaluate(source)
    try:
        settings = config.from_gitlab_rb(values)
    except config.ConfigError as error:
        raise ReconfigureError(str(error)) from error
    for folder in (paths.log, paths.repositories, paths.run, paths.database.parent):
        folder.mkdir(parents=True, exist_ok=True)
    _make_secrets(paths)
    _make_ca_bundle(paths)
    _remove_old_password_file(paths)
    database = Database(paths.database)
    try:
        if not database.seeded():
            _seed(database, settings, _initial_password(paths, values))
    finally:
        database.close()
    # The password is needed once only, and the providers' secrets are private too.
    rails = values.get("gitlab_rails")
    if isinstance(rails, dict):
        rails.pop("initial_root_password", None)
    _write_private(paths.settings, json.dumps(values, indent=1))
    return settings
