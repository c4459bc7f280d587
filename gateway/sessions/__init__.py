"""The session engine: what lives, who may reach it, when it ends."""
