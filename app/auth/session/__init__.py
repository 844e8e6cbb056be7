"""Sessions on the server: the models, the stores, their encryption, and the session cookie."""

from .cookie import SessionCookie, hash_session_id, is_session_id, new_session_id, strip
from .encryption import Sealer, UnsealError
from .models import AccessToken, RecordError, Session, Transaction
from .redis_store import RedisSessionStore
from .sqlite_store import MemorySessionStore, SQLiteSessionStore
from .store import TOUCH_INTERVAL, Lifetimes, SessionStore, StoredSession

__all__ = [
    "TOUCH_INTERVAL",
    "AccessToken",
    "Lifetimes",
    "MemorySessionStore",
    "RecordError",
    "RedisSessionStore",
    "SQLiteSessionStore",
    "Sealer",
    "Session",
    "SessionCookie",
    "SessionStore",
    "StoredSession",
    "Transaction",
    "UnsealError",
    "hash_session_id",
    "is_session_id",
    "new_session_id",
    "strip",
]
