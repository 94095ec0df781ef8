"""What the sink does inside Redis, as two scripts, so that reading and writing a version are one act."""

from typing import Final

KEEP: Final = """
local known = redis.call('HGET', KEYS[1], 'v') or redis.call('GET', KEYS[2])
if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] then
  redis.call('HSET', KEYS[1], 'v', ARGV[1], 'd', ARGV[2])
  redis.call('DEL', KEYS[2])
  return 1
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'EX', {forgotten_s})
return 2
"""
"""KEYS view, forgotten; ARGV offset, value or nothing for a tombstone. Returns 0 refused, 1 written, 2 forgotten."""

ADVANCE: Final = """
local held = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or -1)
local to = tonumber(ARGV[3])
if held >= tonumber(ARGV[2]) and held < to then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  return {held, to}
end
return {held, held}
"""
"""KEYS positions; ARGV partition, from, to. Moves the position where Redis holds everything below `from`.

Returns what Redis held before (-1: nothing) and what it holds now. Held less than `from`: Redis was emptied, or came
back older, and the sink has to go back.
"""
