-- Its holder has it for that time from now, or leaves it free from then on. The key outlives that.
local function hold(new, time)
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
end
