local retention, again, response = tonumber(ARGV[3]), ARGV[4], ARGV[5]
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
redis.call('SET', key, pack('D', token, mark, fence, response), 'PX', whole(math.max(1, retention)))
return { call, 'H' }
