"""What the mail server says, and what is made of it; against a real server."""

import ssl
import subprocess
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from serving.mailer.errors import MailerError
from serving.mailer.postbox import Ambiguous, AwayError, Deferred, MailServer, Outbox, Outcome, Refused, Sent
from tests.serving.mailer.mail_server import MailHost


def mail(to: str = "u1@example.org") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "jobs@example.org", to, "Hello"
    message["Message-ID"] = "<d1@example.org>"
    message.set_content("one\n.two\n..three\n")
    return message


def put(server: MailServer, message: EmailMessage) -> Outcome:
    server.ready()
    return server.put(message, "d1")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.7.1 greylisted", Deferred("451 4.7.1 greylisted")),
        ("550 5.1.1 no such user", Refused("550 5.1.1 no such user", bounce=True)),
        ("550 5.7.1 we do not like you", Refused("550 5.7.1 we do not like you", bounce=False)),
    ],
)
def test_answers_and_the_connection_goes_on(answer: str, outcome: Outcome) -> None:
    with MailHost() as host:
        host.answers["u1@example.org"] = [answer]
        server = MailServer(host.url)
        assert put(server, mail()) == outcome
        assert put(server, mail()) == Sent()
        assert len(host.taken) == 1
        assert host.taken[0].get_content().splitlines() == ["one", ".two", "..three"]
        server.close()


def test_a_connection_that_ends_within_the_mail_is_ambiguous() -> None:
    with MailHost() as host:
        server = MailServer(host.url)
        host.vanish_after_data = 1
        assert isinstance(put(server, mail()), Ambiguous)
        assert len(host.taken) == 1, "it was taken, and nobody told us"
        assert put(server, mail()) == Sent()
        server.close()


def test_a_server_that_is_away_is_certainly_not_ambiguous() -> None:
    with MailHost() as host:
        server = MailServer(host.url, timeout_s=2.0)
        assert put(server, mail()) == Sent()
        host.stop()
        with pytest.raises(AwayError, match=r"127\.0\.0\.1"):
            server.ready()
        host.start()
        assert put(server, mail()) == Sent()
        server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    pem = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key.pem"), "-out", str(pem)],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem


def test_tls_and_a_login(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.parent / "key.pem")
    with MailHost(tls=context, login=("jobs@x", "p/w:1")) as host:
        given = f"smtp+starttls://jobs%40x:p%2Fw%3A1@127.0.0.1:{host.port}"
        with pytest.raises(AwayError, match="certificate"):
            MailServer(given).ready()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        server = MailServer(given)
        assert put(server, mail()) == Sent()
        server.close()
        with pytest.raises(AwayError, match="535"):
            MailServer(given.replace("p%2Fw", "wrong")).ready()


def test_a_password_never_goes_in_the_clear_nor_into_a_message() -> None:
    with pytest.raises(MailerError, match="in the clear") as refused:
        MailServer("smtp://jobs:secret@smtp.example.org")
    assert "secret" not in str(refused.value)
    with pytest.raises(MailerError, match="are wanted") as unknown:
        MailServer("http://jobs:secret@smtp.example.org")
    assert "secret" not in str(unknown.value)


def test_an_outbox_holds_whole_files(tmp_path: Path) -> None:
    box = Outbox(str(tmp_path / "new" / "box"))
    box.ready()
    assert box.put(mail(), "a/b:c") == Sent()
    (file,) = (tmp_path / "new" / "box").iterdir()
    assert file.name == "a%2Fb%3Ac.eml"
    assert b"Message-ID: <d1@example.org>" in file.read_bytes()
