local wanted, lease, retention, most = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if record then
  if mark ~= wanted then
    return { call, 'M', seen }
  end
  if state == 'D' then
    return { call, 'D', fence, rest }
  end
  if state == 'X' then
    return { call, 'X', fence }
  end
end
if not record then
  fence = 1
elseif state == 'F' or holder ~= token then
  if now < till then
    return { call, 'W', till - now }
  end
  if most > 0 and fence >= most then
    redis.call('SET', key, pack('X', holder, mark, fence, ''), 'KEEPTTL')
    return { call, 'X', fence }
  end
  fence = fence + 1
end
local held = pack('P', token, wanted, fence, whole(now + lease) .. ';')
redis.call('SET', key, held, 'PX', whole(math.max(1, lease, retention)))
return { call, 'A', fence }
