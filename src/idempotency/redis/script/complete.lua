local retention, again, response = ARGV[3], ARGV[4], ARGV[5]
if state == 'D' and holder == token then
  -- A write, so that WAIT has something to wait for.
  if again == 'write' then
    redis.call('SET', key, record, 'KEEPTTL')
  end
  return { call, 'H' }
end
if state ~= 'P' or holder ~= token then
  return { call, 'L', seen or 'G' }
end
redis.call('SET', key, 'D' .. token .. mark .. fence .. ';' .. response, 'PX', retention)
return { call, 'H' }
