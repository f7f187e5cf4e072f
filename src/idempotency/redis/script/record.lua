-- A record is one string: version, state, holder's token, fingerprint, fence, and what its state needs.
--   1P<16><16>7;1700000000000;   held until that time
--   1F<16><16>7;1700000000000;   released, free from that time on
--   1D<16><16>7;<response>       done
--   1X<16><16>7;                 claimed too often
local key, call, token = KEYS[1], ARGV[1], ARGV[2]
local function whole(number)
  return string.format('%.0f', number)
end
local function pack(state, holder, mark, fence, rest)
  return '1' .. state .. holder .. mark .. whole(fence) .. ';' .. rest
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = redis.call('GET', key)
local state, holder, mark, fence, rest, till
if record then
  state, holder, mark = string.sub(record, 2, 2), string.sub(record, 3, 18), string.sub(record, 19, 34)
  fence, rest = string.match(record, '^(%d+);(.*)$', 35)
  fence = tonumber(fence)
  if state == 'P' or state == 'F' then
    till = rest and tonumber(string.match(rest, '^(%d+);$'))
  elseif state == 'D' or state == 'X' then
    till = now
  end
  if string.sub(record, 1, 1) ~= '1' or not fence or not till then
    return { call, 'C' }
  end
end
local seen = state == 'F' and 'P' or state
local function keep_at_least(milliseconds)
  if redis.call('PTTL', key) < milliseconds then
    redis.call('PEXPIRE', key, whole(milliseconds))
  end
end
