"""asyncio building blocks that know no technology."""
