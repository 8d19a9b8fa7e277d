package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"math/rand"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const breather = 10 * time.Millisecond // after a refusal

// A sender sends webhooks over connections that it keeps, each to one target.
type sender struct {
	targets     []string
	connections int
	mould       mould
	patience    time.Duration
	book        *book
}

// stretch sends for some time, as fast as answers come or as strangers would at a rate, and waits
// until what was accepted has arrived.
func (s *sender) stretch(length time.Duration, rate float64) summary {
	s.book.turn()
	var next, refused atomic.Int64
	start := now()
	end := start + int64(length)
	due := schedule(start, end, rate)
	var all sync.WaitGroup
	for n := range s.connections {
		all.Add(1)
		go func() {
			defer all.Done()
			line := &line{target: s.targets[n%len(s.targets)]}
			defer line.close()
			for range due {
				at := int(next.Add(1) - 1)
				if at >= most {
					return
				}
				if !s.send(line, at) {
					refused.Add(1)
					time.Sleep(breather)
				}
			}
		}()
	}
	all.Wait()
	sent := min(int(next.Load()), most)
	s.rest(sent)
	return s.book.sum(sent, int(refused.Load()), start, end)
}

// schedule gives a token whenever a message is due, until the end. Its seed is fixed.
func schedule(start, end int64, rate float64) <-chan struct{} {
	due := make(chan struct{}, most)
	if rate == 0 {
		due = make(chan struct{})
	}
	go func() {
		defer close(due)
		chance := rand.New(rand.NewSource(1))
		at := float64(start)
		for now() < end {
			if rate > 0 {
				at += chance.ExpFloat64() / rate * 1e9
				time.Sleep(time.Duration(int64(at) - now()))
			}
			due <- struct{}{}
		}
	}()
	return due
}

func (s *sender) send(line *line, at int) bool {
	line.room = s.mould.request(line.room, s.book.first+at)
	mark := &s.book.marks[at]
	mark.sent = now()
	status, err := line.ask(line.room)
	if err != nil {
		log.Print(err)
		line.close()
		return false
	}
	if status != 202 {
		log.Printf("answered %d", status)
		return false
	}
	mark.accepted = now()
	return true
}

// rest waits until everything accepted has arrived, or nothing has for too long.
func (s *sender) rest(sent int) {
	for at := range sent {
		for {
			waits, silence := s.book.waits(at)
			if silence > s.patience {
				return
			}
			if !waits {
				break
			}
			time.Sleep(breather)
		}
	}
}

// A line is a connection, opened when it is needed.
type line struct {
	target string
	conn   net.Conn
	reader *bufio.Reader
	room   []byte
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// ask sends a request and reads the answer's status, and past its body.
func (l *line) ask(request []byte) (int, error) {
	if l.conn == nil {
		conn, err := net.Dial("tcp", l.target)
		if err != nil {
			return 0, err
		}
		l.conn, l.reader = conn, bufio.NewReader(conn)
	}
	if _, err := l.conn.Write(request); err != nil {
		return 0, err
	}
	first, err := l.reader.ReadSlice('\n')
	if err != nil || len(first) < 12 {
		return 0, io.ErrUnexpectedEOF
	}
	status, err := strconv.Atoi(string(first[9:12]))
	if err != nil {
		return 0, err
	}
	length, err := bodyLength(l.reader)
	if err != nil {
		return 0, err
	}
	_, err = l.reader.Discard(length)
	return status, err
}

// bodyLength reads headers to their end.
func bodyLength(reader *bufio.Reader) (int, error) {
	length := 0
	for {
		header, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(header), []byte(":"))
		if !found {
			return length, nil
		}
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
}
