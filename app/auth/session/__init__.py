"""Sessions on the server: the models, the stores, their encryption, and the session cookie.

`RedisSessionStore` is in `redis_store`, which needs the package redis.
"""

from ..lifetimes import TOUCH_INTERVAL, Lifetimes
from .activity import Activity
from .cookie import Cookies, SessionCookie, hash_session_id, is_session_id, new_session_id, strip
from .encryption import Sealer, UnsealError
from .models import AccessToken, LoginMode, RecordError, Session, Transaction
from .sqlite_store import MemorySessionStore, SQLiteSessionStore
from .store import SessionStore, StoredSession

__all__ = [
    "TOUCH_INTERVAL",
    "AccessToken",
    "Activity",
    "Cookies",
    "Lifetimes",
    "LoginMode",
    "MemorySessionStore",
    "RecordError",
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
