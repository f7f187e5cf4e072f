return hold('F', tonumber(ARGV[3]))
