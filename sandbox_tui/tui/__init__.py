"""The dashboard; the only place, `cli/tables.py` aside, that knows textual and rich."""
