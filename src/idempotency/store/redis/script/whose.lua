-- Writes whose a name is, where that is still what the caller has seen, and says what is so now.
local key, call, seen, new = KEYS[1], ARGV[1], ARGV[4], ARGV[5]
local record = redis.call('GET', key) or ''
if record == seen then
  redis.call('SET', key, new)
  record = new
end
return { call, 'N', record }
