"""Stopping trading by a line of chat: `answer` takes what a person wrote and returns what to say.

    /stop                                   no new entry anywhere
    /stop REDUCE_ONLY BTCUSDT news at two   a milder level, one symbol, a reason
    /stop FLATTEN account=skew lost its way
    /stop FLATTEN all get out               levels that cancel or sell want their place spelt out
    /status

A bridge to a chat service proves who wrote and passes the name of one of our people: it needs no
more than this function. Nothing is released here.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.utils import timezone

from exchanges.models import InstrumentRow
from trading.domain.risk.types import TradingMode
from trading.models import TradingState
from trading.services.control import circuit_breakers, commands, kill_switch

HELP = (
    "/stop [LEVEL] [SYMBOL, account=NAME, strategy=NAME, venue=NAME or all] [reason], or /status. "
    f"Levels: {', '.join(kill_switch.LEVELS)}."
)
PERMISSION = "trading.engage_kill_switch"
KINDS = ("venue", "account", "strategy", "symbol")
EVERYTHING = ("all", "global", "everything")


def answer(*, channel: str, person: str, text: str) -> str:
    """Do what a person wrote in a channel and return the reply. Never raises for what they wrote.

    `person` is the name of a user of ours; stopping needs the permission to engage the kill switch.
    """
    actor = f"{person} ({channel})"
    word, _, rest = text.strip().partition(" ")
    command = word.split("@")[0].lower()  # in groups chat services add the bot's name
    user = get_user_model().objects.filter(username=person, is_active=True).first()
    if user is None:
        return _refused(actor, text, f"{person} is nobody we know.")
    if command == "/status":
        commands.note("control.asked", actor=actor, data={"text": text[: commands.KEPT_CHARACTERS]})
        return _status()
    if command != "/stop":
        return _refused(actor, text, HELP)
    if not user.has_perm(PERMISSION):
        return _refused(actor, text, "You have no permission to stop trading. Nothing was stopped.")
    try:
        asked = _read(rest, person)
    except commands.Refused as error:
        return _refused(actor, text, f"{error}. Nothing was stopped. {HELP}")
    state = commands.stop(asked, actor=actor)
    return f"Stopped: {_line(state)}"


def _read(rest: str, person: str) -> commands.Stop:
    words = rest.split()
    level = words.pop(0).upper() if words and words[0].upper() in kill_switch.LEVELS else ""
    scope, key = _place(words[0]) if words else ("", "")
    if scope:
        words.pop(0)
    elif level and kill_switch.level(level) in kill_switch.ACTS:
        raise commands.Refused("place", f"{level} wants to know where: a symbol we know, or all")
    payload = {"command": "stop", "by": person, "level": level, "scope": scope, "key": key}
    _, _, asked = commands.read({**payload, "reason": " ".join(words)[:500]})
    if asked is None:
        raise commands.Refused("command", "stop or status")
    return asked


def _place(word: str) -> tuple[str, str]:
    """Read a place; nothing when the word is none, and so the beginning of the reason."""
    if word.lower() in EVERYTHING:
        return TradingState.Scope.GLOBAL.value, ""
    kind, is_pair, key = word.partition("=")
    if is_pair and kind.lower() in KINDS:
        return kind.lower(), key
    if InstrumentRow.objects.filter(symbol=word.upper()).exists():
        return TradingState.Scope.SYMBOL.value, word.upper()
    return "", ""


def _status() -> str:
    states = kill_switch.in_force(timezone.now()).order_by("engaged_at")
    lines = [_line(state) for state in states] or ["Trading is active: nothing is stopped."]
    breakers = [f for f in circuit_breakers.seen().findings if f.state in ("tripped", "unknown")]
    lines += [f"breaker {f.name} {f.key}".strip() + f": {f.state}, {f.actual}" for f in breakers]
    return "\n".join(lines)


def _line(state: TradingState) -> str:
    where = "everything" if state.scope == "global" else f"{state.scope} {state.key}"
    does = {
        TradingMode.CANCEL_OPEN: "; resting entries are being cancelled",
        TradingMode.FLATTEN: "; resting entries are being cancelled, positions sold",
    }.get(TradingMode(state.mode), "")
    until = f" until {state.expires_at:%Y-%m-%d %H:%M} UTC" if state.expires_at else ""
    return f"{state.mode} {where}{until}, by {state.engaged_by}: {state.reason}{does}"


def _refused(actor: str, text: str, reply: str) -> str:
    data = {"text": text[: commands.KEPT_CHARACTERS], "why": reply}
    commands.note("control.refused", actor=actor, data=data)
    return reply
