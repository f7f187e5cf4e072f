local retention, response = ARGV[4], ARGV[5]
if state == 'D' and holder == token then
  return { call, 'H' }
end
if state ~= 'P' or holder ~= token then
  return { call, 'L', seen or 'G' }
end
redis.call('SET', key, 'D' .. token .. mark .. fence .. ';' .. response, 'PX', retention)
return { call, 'H' }
