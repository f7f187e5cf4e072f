local wanted, lease, life, most = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local claims = record and tonumber(fence, 16)
if state == 'D' then
  if mark ~= wanted then
    return { call, 'M', state }
  end
  return { call, 'D', claims, rest }
end
if state == 'X' then
  return { call, 'X', claims }
end
-- Nobody completed it, so the key is this event's too, once it is free. What was seen of two payloads stays said.
local other = record and (mark ~= wanted or string.sub(fence, 1, 1) == '0')
if not record then
  claims = 1
elseif state == 'F' or holder ~= token or mark ~= wanted then
  local left = redis.call('PTTL', key)
  if left < 0 then
    return { call, 'C' }
  end
  if left > rest then
    return { call, state == 'F' and 'R' or 'W', left - rest }
  end
  if most > 0 and claims >= most then
    redis.call('SET', key, 'X' .. holder .. mark .. fence .. ';', 'KEEPTTL')
    return { call, 'X', claims }
  end
  claims = claims + 1
end
local head = 'P' .. token .. wanted .. (other and '0' or '')
redis.call('SET', key, head .. string.format('%x;%x', claims, life - lease), 'PX', life)
return { call, other and 'O' or 'A', claims }
