local delay = tonumber(ARGV[3])
if state ~= 'P' or holder ~= token then
  return { call, 'L', seen or 'G' }
end
redis.call('SET', key, pack('F', token, mark, fence, whole(now + delay) .. ';'), 'KEEPTTL')
keep_at_least(delay)
return { call, 'H' }
