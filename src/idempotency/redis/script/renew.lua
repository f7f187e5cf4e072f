local lease = tonumber(ARGV[3])
if state ~= 'P' or holder ~= token then
  return { call, 'L', seen or 'G' }
end
redis.call('SET', key, pack('P', token, mark, fence, whole(now + lease) .. ';'), 'KEEPTTL')
keep_at_least(lease)
return { call, 'H' }
