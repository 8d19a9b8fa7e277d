module isthmus.dev/bench/upstream

go 1.22
