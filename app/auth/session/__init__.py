"""Sessions on the server: what is stored, how it is sealed, and the cookie that points at it."""

from .cookie import SessionCookie, strip
from .handle import hash_session_id, is_session_id, new_session_id
from .memory_store import MemorySessionStore
from .models import AccessToken, RecordError, Session, Transaction
from .redis_store import RedisSessionStore
from .sealing import Sealer, UnsealError
from .sqlite_store import SQLiteSessionStore
from .store import Lifetimes, SessionStore, StoredSession

__all__ = [
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
