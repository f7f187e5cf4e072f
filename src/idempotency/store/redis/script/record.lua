-- A record is one string: its state, its holder's token, the mark of its key and event, its fence, and what its state needs.
--   P<16><16>7;b43e9400     held until the key has so many milliseconds left to live
--   F<16><16>7;b43e9400     released, free from then on
--   D<16><16>7;<response>   done
--   X<16><16>7;             claimed too often
-- Numbers are hexadecimal. A zero before the fence: the key was known with another payload too. A version of this crate
-- that does not know of this reads the same number. Time is what the key has left, so that a first claim needs no clock
-- and no script.
local key, call, token, shown = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local record = redis.call('GET', key)
local state, holder, mark, fence, rest
if record then
  state, holder, mark = string.sub(record, 1, 1), string.sub(record, 2, 17), string.sub(record, 18, 33)
  fence, rest = string.match(record, '^(%x+);(.*)$', 34)
  if fence and (state == 'P' or state == 'F') then
    rest = tonumber(rest, 16)
  end
  if not fence or not rest or not string.find('PFDX', state, 1, true) then
    return { call, 'C' }
  end
end
-- What is told of another's write must be known to replicas too: this is a write that WAIT can wait for.
if record and shown == 'replicated' then
  redis.call('SET', key, record, 'KEEPTTL')
end
local seen = state == 'F' and 'P' or state
