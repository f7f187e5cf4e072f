local wanted, lease, life, most = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local claims = record and tonumber(fence, 16)
if record then
  if mark ~= wanted then
    return { call, 'M', seen }
  end
  if state == 'D' then
    return { call, 'D', claims, rest }
  end
  if state == 'X' then
    return { call, 'X', claims }
  end
end
if not record then
  claims = 1
elseif state == 'F' or holder ~= token then
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
redis.call('SET', key, 'P' .. token .. wanted .. string.format('%x;%x', claims, life - lease), 'PX', life)
return { call, 'A', claims }
