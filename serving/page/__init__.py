"""The page to look at: browse, search, save, apply and dismiss, and watch the lists change."""
