"""What the outside sees: API, console, lag collector, mailer."""
