"""The look of everything that people see: one stylesheet for the site, the console and the pages that mails lead to."""
