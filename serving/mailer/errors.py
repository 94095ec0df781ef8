"""What can stop the mailer."""


class MailerError(Exception):
    """The mailer cannot go on; the message is one line for a person."""
