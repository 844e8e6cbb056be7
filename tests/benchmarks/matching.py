"""What a decision costs with ten thousand entries, beside one with ten."""

from __future__ import annotations

from app.auth.interceptor import AllowedList

from .figure import Figure, Work, ratio

DECISIONS = 500  # in each measurement


async def measure() -> list[Figure]:
    """With all entries at one origin, and with each at its own."""
    figures = []
    for name, host in (("one origin", "api"), ("as many origins", "api{0}")):
        entries = f"https://{host}.example.com/v{{0}}/*"
        url = entries.removesuffix("*").format(7) + "me"
        few, many = (
            AllowedList([entries.format(n) for n in range(count)]) for count in (10, 10_000)
        )
        value = await ratio(_decide(many, url), _decide(few, url))
        figures.append(Figure(f"match, 10,000 entries, {name}", value, 2.0, "10 entries"))
    return figures


def _decide(allowed: AllowedList, url: str) -> Work:
    async def work() -> None:
        for _ in range(DECISIONS):
            assert allowed.match("GET", url)

    return work
