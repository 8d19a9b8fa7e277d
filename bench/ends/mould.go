package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// The number by which a message is known where it arrives: seven digits of the order's number.
const digits = 7

var marker = []byte(`"order_number":"WEB-2026-`)

// A mould gives whole requests that differ in the order's number only.
type mould struct{ before, after []byte }

func newMould(order []byte, path string) (mould, error) {
	at := bytes.Index(order, marker)
	if at < 0 {
		return mould{}, errors.New("the body has no order_number to write over")
	}
	at += len(marker)
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, len(order))
	return mould{append([]byte(head), order[:at]...), order[at+digits:]}, nil
}

// request writes one into room, which it may grow.
func (m mould) request(room []byte, number int) []byte {
	room = append(room[:0], m.before...)
	room = fmt.Appendf(room, "%0*d", digits, number)
	return append(room, m.after...)
}

// numberOf reads the number of a body that arrived; -1 where it has none.
func numberOf(body []byte) int {
	at := bytes.Index(body, marker)
	if at < 0 || len(body) < at+len(marker)+digits {
		return -1
	}
	at += len(marker)
	number, err := strconv.Atoi(string(body[at : at+digits]))
	if err != nil {
		return -1
	}
	return number
}
