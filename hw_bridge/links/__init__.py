"""Open links: a POSIX descriptor, a blocking object in threads, an asyncio stream."""
