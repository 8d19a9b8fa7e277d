// Command upstream answers for the search service, the ERP and the API of the benchmark.
//
// It reads just enough HTTP/1.1 to find the end of a request and writes bytes that were ready
// before the first connection, so that it is never what an engine waits for. It remembers the last
// search and the last prices request: the benchmark asks for them to see that an engine really
// sent what the Route says, instead of an empty body that fixed answers would forgive.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

var errFraming = errors.New("a request without Content-Length")

type upstream struct {
	search, prices []byte // whole answers, head included

	mu         sync.Mutex
	lastSearch []byte
	lastPrices []byte
}

type request struct {
	method, target, body []byte
}

func main() {
	address := flag.String("address", "127.0.0.1:18081", "where to listen")
	payloads := flag.String("payloads", ".", "folder with search.json and prices.json")
	flag.Parse()

	u := &upstream{
		search: answer(mustRead(*payloads, "search.json")),
		prices: answer(mustRead(*payloads, "prices.json")),
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go u.serve(conn)
	}
}

func mustRead(folder, name string) []byte {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		log.Fatal(err)
	}
	return data
}

func answer(body []byte) []byte { return append(head("200 OK", len(body)), body...) }

func head(status string, length int) []byte {
	const format = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	return fmt.Appendf(nil, format, status, length)
}

func (u *upstream) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 32<<10)
	var room []byte // request bodies and echoes, reused for the life of the connection
	for {
		r, err := read(reader, room)
		if errors.Is(err, errFraming) {
			conn.Write(head("411 Length Required", 0))
			return
		}
		if err != nil {
			return
		}
		room = r.body[:0]
		if _, err := conn.Write(u.respond(r)); err != nil {
			return
		}
	}
}

func (u *upstream) respond(r request) []byte {
	path, _, _ := bytes.Cut(r.target, []byte("?"))
	switch string(r.method) + " " + string(path) {
	case "GET /products/search":
		u.remember(&u.lastSearch, r.target)
		return u.search
	case "POST /prices":
		u.remember(&u.lastPrices, r.body)
		return u.prices
	case "GET /echo", "POST /echo":
		return answer(r.body)
	case "GET /last/search":
		return u.recall(&u.lastSearch)
	case "GET /last/prices":
		return u.recall(&u.lastPrices)
	}
	return head("404 Not Found", 0)
}

func (u *upstream) remember(slot *[]byte, value []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	*slot = append((*slot)[:0], value...)
}

func (u *upstream) recall(slot *[]byte) []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return answer(*slot)
}

// read takes one request off the connection. Its slices hold until the next read.
func read(reader *bufio.Reader, room []byte) (request, error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return request{}, err
	}
	words := bytes.SplitN(bytes.Clone(line), []byte(" "), 3)
	if len(words) != 3 {
		return request{}, io.ErrUnexpectedEOF
	}
	length, err := readHeaders(reader)
	if err != nil {
		return request{}, err
	}
	if cap(room) < length {
		room = make([]byte, length)
	}
	room = room[:length]
	_, err = io.ReadFull(reader, room)
	return request{method: words[0], target: words[1], body: room}, err
}

func readHeaders(reader *bufio.Reader) (int, error) {
	length := 0
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !found {
			return length, nil
		}
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			return 0, errFraming
		}
	}
}
