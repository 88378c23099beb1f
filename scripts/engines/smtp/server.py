# A mail server that keeps what it takes: server.py PORT FOLDER [USER PASSWORD]. Each mail is a file of the folder.
import os
import signal
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        draft = os.path.join(self.folder, ".draft")
        with open(draft, "wb") as file:
            head = "X-Envelope: %s -> %s\r\n" % (envelope.mail_from, " ".join(envelope.rcpt_tos))
            file.write(head.encode() + envelope.content)
        os.rename(draft, os.path.join(self.folder, "%06d.eml" % self.count))
        return "250 kept"


def authenticator(user, password):
    def check(server, session, envelope, mechanism, data):
        known = mechanism in ("LOGIN", "PLAIN") and data.login == user.encode() and data.password == password.encode()
        return AuthResult(success=known, handled=known)

    return check


port, folder, *credentials = sys.argv[1:]
options = {}
if credentials:
    options = {"authenticator": authenticator(*credentials), "auth_required": True, "auth_require_tls": False}
Controller(Keeper(folder), hostname="127.0.0.1", port=int(port), **options).start()
signal.sigwait([signal.SIGTERM, signal.SIGINT])
