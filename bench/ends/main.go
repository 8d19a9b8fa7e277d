// Command ends is both ends of a Route that delivers: it sends webhooks, and is the upstream where
// they arrive. One clock sees both, so it knows how long each message was under way.
//
// Three stretches: a warm-up, as fast as answers come, and at half of what that one delivered. After
// each it waits until all that was accepted has arrived. It prints them as JSON.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"strings"
	"time"
)

const warmUp = time.Second

func main() {
	targets := flag.String("targets", "", "host:port of each replica, with commas; asked in turn")
	path := flag.String("path", "/hook", "of the webhook")
	upstream := flag.String("upstream", "127.0.0.1:18191", "where deliveries arrive")
	body := flag.String("body", "order.json", "file with an order")
	connections := flag.Int("connections", 64, "of the sender")
	seconds := flag.Float64("seconds", 5, "of each stretch")
	patience := flag.Float64("patience", 40, "seconds without an arrival after which the rest is lost")
	flag.Parse()

	order, err := os.ReadFile(*body)
	if err != nil {
		log.Fatal(err)
	}
	mould, err := newMould(order, *path)
	if err != nil {
		log.Fatal(err)
	}
	book := &book{}
	if err := listen(*upstream, book); err != nil {
		log.Fatal(err)
	}
	sender := &sender{
		targets:     strings.Split(*targets, ","),
		connections: *connections,
		mould:       mould,
		patience:    time.Duration(*patience * float64(time.Second)),
		book:        book,
	}
	length := time.Duration(*seconds * float64(time.Second))
	warm := sender.stretch(warmUp, 0)
	closed := sender.stretch(length, 0)
	paced := sender.stretch(length, closed.Whole/2)
	report := map[string]summary{"warm": warm, "closed": closed, "paced": paced}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}
