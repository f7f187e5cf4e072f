return hold('P', tonumber(ARGV[4]))
