"""Who may come in: credentials, files of users and groups, passwords, and the guard that asks for them."""
