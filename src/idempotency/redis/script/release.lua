return hold('F', tonumber(ARGV[4]))
