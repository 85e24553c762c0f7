"""Pure data and errors: no I/O, no asyncio, no technology."""
