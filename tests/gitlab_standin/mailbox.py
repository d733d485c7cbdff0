"""For tests: a mail server that keeps what it is given."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from queue import Queue


class _Talk(socketserver.StreamRequestHandler):
    """One client's conversation (RFC 5321, as much of it as one mail needs)."""

    server: "_Server"

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline():
            verb = line[:4].decode("ascii", "replace").upper()
            if verb == "DATA":
                self._say("354 go on")
                self._take()
            elif verb == "QUIT":
                self._say("221 bye")
                return
            self._say("250 mailbox" if verb in {"EHLO", "HELO"} else "250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        found = email.message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(found, EmailMessage)
        self.server.mails.put(found)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.mails: Queue[EmailMessage] = Queue()
        super().__init__(("127.0.0.1", 0), _Talk)


class Mailbox:
    """What arrived, in order."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.port: int = server.server_address[1]

    @property
    def gitlab_rb(self) -> str:
        """The lines of gitlab.rb that send mail here."""
        return (
            "gitlab_rails['gitlab_email_enabled'] = true\n"
            "gitlab_rails['smtp_enable'] = true\n"
            "gitlab_rails['smtp_address'] = '127.0.0.1'\n"
            f"gitlab_rails['smtp_port'] = {self.port}\n"
        )

    def next(self, seconds: float = 30) -> EmailMessage:
        """Wait for a mail. Raises queue.Empty when none comes."""
        return self._server.mails.get(timeout=seconds)

    @property
    def empty(self) -> bool:
        """Whether no mail waits."""
        return self._server.mails.empty()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server."""
    with _Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Mailbox(server)
        server.shutdown()
