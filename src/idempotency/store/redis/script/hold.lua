-- Its holder has it for that time from now (P), or leaves it free from then on (F). The key outlives that.
local new, time = ARGV[4], tonumber(ARGV[5])
if state ~= 'P' or holder ~= token then
  return { call, 'L', seen or 'G' }
end
local head, left = new .. string.sub(record, 2, 33) .. fence .. ';', redis.call('PTTL', key) - time
if left < 0 then
  redis.call('SET', key, head .. '0', 'PX', string.format('%.0f', math.max(1, time)))
else
  redis.call('SET', key, head .. string.format('%x', left), 'KEEPTTL')
end
return { call, 'H' }
