package main

import (
	"bufio"
	"io"
	"net"
)

var thanks = []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

// listen serves the upstream: whatever is posted is noted and thanked for.
func listen(address string, book *book) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go receive(conn, book)
		}
	}()
	return nil
}

func receive(conn net.Conn, book *book) {
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 16<<10)
	var room []byte
	for {
		if _, err := reader.ReadSlice('\n'); err != nil {
			return
		}
		length, err := bodyLength(reader)
		if err != nil {
			return
		}
		if cap(room) < length {
			room = make([]byte, length)
		}
		room = room[:length]
		if _, err := io.ReadFull(reader, room); err != nil {
			return
		}
		book.arrive(room)
		if _, err := conn.Write(thanks); err != nil {
			return
		}
	}
}
