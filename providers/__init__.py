"""The platforms. Dataclasses and httpx; this package has never heard of Django."""
