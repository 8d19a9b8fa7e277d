module isthmus.dev/bench/ends

go 1.22
