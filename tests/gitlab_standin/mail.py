"""Mail that GitLab sends, after the request that asked for it."""

import logging
import smtplib
import ssl
import threading
from email.message import EmailMessage
from email.utils import formataddr

from gitlab_standin.config import Config, Mail

log = logging.getLogger("gitlab_standin.mail")
TIMEOUT_SECONDS = 30


def send(config: Config, to: str, subject: str, text: str) -> None:
    """Send a mail, in a thread of its own. Without a mail server it goes nowhere, as GitLab's."""
    if config.mail is None:
        return
    message = EmailMessage()
    message["From"] = formataddr((config.mail.display_name, config.email_from))
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    threading.Thread(target=_deliver, args=(config.mail, message), daemon=True).start()


def _deliver(mail: Mail, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    if not mail.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with _connection(mail, context) as server:
            if mail.starttls and not mail.tls and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if mail.user_name:
                server.login(mail.user_name, mail.password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a mail was not sent: %s", type(error).__name__)


def _connection(mail: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    where = (mail.address, mail.port, mail.domain)
    if mail.tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
    server.ehlo()
    return server
