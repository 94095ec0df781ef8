"""What a command says when it cannot do its work: one line on stderr, exit code 1 (failed) or 2 (wrong usage).

SettingsError     2   a setting is unknown or out of range
CommandError      1   a command found that it cannot go on
MailerError       1   the mailer cannot go on
BrokerError       1   Kafka does not answer, or its topics are not as they must be
KafkaException    1   Kafka refused
RedisError        1   Redis does not answer
OSError           1   a file or a port cannot be had
anything else         is a bug and shows its traceback
"""

import errno
import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from streams.settings import SettingsError

FAILED: Final = 1
WRONG_USAGE: Final = 2


class CommandError(Exception):
    """A command cannot go on; the message is one line for a person."""


class Commands(TyperGroup):
    """The commands, with every known failure turned into one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            refuse(str(error))
            raise typer.Exit(WRONG_USAGE) from None
        except BrokenPipeError:  # the reader of our output has seen enough
            sys.stderr.close()
            raise typer.Exit(FAILED) from None
        except Exception as error:
            line = explain(error)
            if line is None:
                raise
            refuse(line)
            raise typer.Exit(FAILED) from None


def explain(error: Exception) -> str | None:
    """A known failure in one line, or None where it is a bug."""
    from confluent_kafka import KafkaError, KafkaException
    from redis.exceptions import RedisError

    from serving.mailer.errors import MailerError
    from streams.admin import BrokerError
    from streams.embedded import EmbeddedError
    from streams.health import PortInUseError
    from streams.replay_file import BrokenFileError

    match error:
        case CommandError() | MailerError() | BrokerError() | PortInUseError() | EmbeddedError() | BrokenFileError():
            return str(error)
        case KafkaException(args=(KafkaError() as inner, *_)):
            return f"Kafka: {inner.str()}"
        case KafkaException():
            return f"Kafka: {error}"
        case RedisError():
            return f"Redis: {error}"
        case OSError(errno=errno.EADDRINUSE):
            return f"the port is in use: {error.strerror}"
        case OSError(filename=str() as name):
            return f"{name}: {error.strerror}"
        case OSError(strerror=str() as reason):
            return reason
    return None


def refuse(line: str) -> None:
    """Say one line on stderr."""
    typer.echo(f"error: {' '.join(line.split())}", err=True)
