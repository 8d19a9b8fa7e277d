package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// Numbers of one stretch; the next one begins behind them.
const most = 1 << 20

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

// A mark is when a message was sent, answered 202 and arrived: nanoseconds, 0 for not.
type mark struct{ sent, accepted, arrived int64 }

// A book has the marks of a stretch, and counts what arrives twice or from nowhere.
type book struct {
	mu      sync.Mutex
	first   int
	marks   []mark
	again   int
	strange int   // of an earlier stretch, or without a number
	last    int64 // when something arrived last
}

// turn begins a stretch.
func (b *book) turn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first += len(b.marks)
	b.marks = make([]mark, most)
	b.again, b.strange, b.last = 0, 0, now()
}

// arrive notes a body.
func (b *book) arrive(body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := numberOf(body) - b.first
	switch {
	case at < 0 || at >= len(b.marks):
		b.strange++
	case b.marks[at].arrived == 0:
		b.last = now()
		b.marks[at].arrived = b.last
	default:
		b.again++
	}
}

// waits tells whether a message is on its way; and how long ago anything arrived.
func (b *book) waits(at int) (bool, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mark := &b.marks[at]
	return mark.accepted != 0 && mark.arrived == 0, time.Duration(now() - b.last)
}

// A summary is one stretch: rates a second, times in seconds.
type summary struct {
	Accepted  int     `json:"accepted"`
	Refused   int     `json:"refused"` // another answer than 202, or none
	Lost      int     `json:"lost"`    // accepted, and did not arrive
	Again     int     `json:"again"`   // arrived more than once
	Strange   int     `json:"strange"`
	Rate      float64 `json:"rate"`  // accepted, while sending
	While     float64 `json:"while"` // arrived, while sending
	Whole     float64 `json:"whole"` // arrived, from the first 202 to the last arrival
	AnswerP50 float64 `json:"answer_p50"`
	AnswerP99 float64 `json:"answer_p99"`
	UnderP50  float64 `json:"under_way_p50"` // from 202 to arrival
	UnderP99  float64 `json:"under_way_p99"`
}

// sum looks at a stretch that sent from start to end and has come to rest.
func (b *book) sum(sent, refused int, start, end int64) summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	var answers, under []int64
	first, last, inTime, lost := int64(math.MaxInt64), start, 0, 0
	for _, mark := range b.marks[:sent] {
		if mark.accepted == 0 {
			continue
		}
		answers = append(answers, mark.accepted-mark.sent)
		first = min(first, mark.accepted)
		if mark.arrived == 0 {
			lost++
			continue
		}
		// The sender may read its 202 after the message has arrived: no time was waited for then.
		under = append(under, max(0, mark.arrived-mark.accepted))
		last = max(last, mark.arrived)
		if mark.arrived <= end {
			inTime++
		}
	}
	seconds := time.Duration(end - start).Seconds()
	found := summary{
		Accepted: len(answers), Refused: refused, Lost: lost,
		Again: b.again, Strange: b.strange,
		Rate: float64(len(answers)) / seconds, While: float64(inTime) / seconds,
	}
	if len(under) > 0 {
		found.Whole = float64(len(under)) / time.Duration(last-first).Seconds()
	}
	found.AnswerP50, found.AnswerP99 = percentiles(answers)
	found.UnderP50, found.UnderP99 = percentiles(under)
	return found
}

func percentiles(values []int64) (float64, float64) {
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	at := func(share float64) float64 {
		return time.Duration(values[int(share*float64(len(values)-1))]).Seconds()
	}
	return at(0.50), at(0.99)
}
