"""The reference mailer: what is due becomes a mail, once, and what people do with it comes back as events."""
