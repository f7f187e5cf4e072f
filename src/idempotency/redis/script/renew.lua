return hold('P', tonumber(ARGV[3]))
