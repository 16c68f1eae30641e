"""How settings are held to what Azure and this program allow: `types` for one value, `checks` for combinations."""
