"""Lua scripts, which Redis runs atomically, each with its keys and arguments.

A session is a hash with the fields `sealed`, `version`, `created_at`, `last_seen_at`, `ends_at`
(its `session_expiry`; empty or missing without one) and `indexes`. The latter names the sorted sets
that list the session: of all sessions, of its user, and of its session at the provider. Their
scores are the times at which sessions expire. `ref` is a session id hash. Times are epoch seconds
of the caller's clock; `pttl` is the lifetime of a key in milliseconds.
"""

from __future__ import annotations

CREATE = """
-- KEYS: session, indexes... (first that of all, which PURGE empties)
-- ARGV: ref, sealed, created_at, now, expires_at, pttl, pttl_index, ends_at or ''
local session = KEYS[1]
local indexes = {}
for i = 2, #KEYS do
  if i > 2 then redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', ARGV[4]) end
  redis.call('ZADD', KEYS[i], ARGV[5], ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[7])
  indexes[#indexes + 1] = KEYS[i]
end
redis.call('HSET', session, 'sealed', ARGV[2], 'version', 1, 'created_at', ARGV[3],
  'last_seen_at', ARGV[4], 'ends_at', ARGV[8], 'indexes', table.concat(indexes, ' '))
redis.call('PEXPIRE', session, ARGV[6])
return 1
"""

DELETE = """
-- KEYS: session; ARGV: ref
local indexes = redis.call('HGET', KEYS[1], 'indexes')
if not indexes then return 0 end
for index in string.gmatch(indexes, '%S+') do redis.call('ZREM', index, ARGV[1]) end
return redis.call('DEL', KEYS[1])
"""

PURGE = """
-- Forget the sessions that have expired, and name them. KEYS: index of all; ARGV: now
local refs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)
for _, ref in ipairs(refs) do redis.call('ZREM', KEYS[1], ref) end
return refs
"""

SEEN = """
-- A session was used. KEYS: session; ARGV: ref, now, idle, absolute
local fields = redis.call('HMGET', KEYS[1], 'created_at', 'indexes', 'ends_at')
local created_at, indexes, ends_at = fields[1], fields[2], tonumber(fields[3] or '')
if not created_at then return 0 end
local expires_at = math.min(ARGV[2] + ARGV[3], created_at + ARGV[4], ends_at or math.huge)
redis.call('HSET', KEYS[1], 'last_seen_at', ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.max(1, math.ceil((expires_at - ARGV[2]) * 1000)))
for index in string.gmatch(indexes, '%S+') do
  redis.call('ZADD', index, 'XX', string.format('%.3f', expires_at), ARGV[1])
end
return 1
"""

COMPARE_AND_SWAP = """
-- KEYS: session, lease; ARGV: version, sealed, fence or '', ends_at or ''
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
local fence = redis.call('HGET', KEYS[2], 'fence')
if ARGV[3] ~= '' and fence and tonumber(fence) > tonumber(ARGV[3]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'sealed', ARGV[2], 'ends_at', ARGV[4])
return 1
"""

ACQUIRE_LEASE = """
-- KEYS: lease; ARGV: now, expires_at, pttl
local expires_at = redis.call('HGET', KEYS[1], 'expires_at')
if expires_at and tonumber(expires_at) > tonumber(ARGV[1]) then return false end
redis.call('HSET', KEYS[1], 'expires_at', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'fence', 1)
"""

CHANGE_LEASE = """
-- Renew it, or give it back. KEYS: lease; ARGV: fence, now, expires_at
local fence, expires_at = unpack(redis.call('HMGET', KEYS[1], 'fence', 'expires_at'))
if fence ~= ARGV[1] or tonumber(expires_at) <= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'expires_at', ARGV[3])
return 1
"""
