// Command jetstream is what a webhook and its delivery take on NATS JetStream: it answers 202 when
// the stream has acknowledged a body, and a durable consumer posts each body to an upstream and
// acknowledges it when that has answered.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	subject  = "orders"
	patience = 30 * time.Second
)

func main() {
	listen := flag.String("address", "127.0.0.1:18200", "where webhooks arrive")
	server := flag.String("nats", "nats://127.0.0.1:18260", "the NATS server")
	target := flag.String("target", "http://127.0.0.1:18191/orders", "where bodies are delivered")
	places := flag.Int("concurrency", 32, "deliveries at once")
	flag.Parse()

	stream, consumer, err := open(*server, *places)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(deliver(consumer, *target, *places)) }()
	http.HandleFunc("POST /hook", accept(stream))
	http.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(*listen, nil))
}

// open makes the stream, in files and kept after delivery as a journal is, and its consumer.
func open(server string, places int) (jetstream.JetStream, jetstream.Consumer, error) {
	connection, err := nats.Connect(server, nats.RetryOnFailedConnect(true))
	if err != nil {
		return nil, nil, err
	}
	stream, err := jetstream.New(connection)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	made, err := stream.CreateStream(ctx, jetstream.StreamConfig{
		Name:     "ORDERS",
		Subjects: []string{subject},
		Storage:  jetstream.FileStorage,
	})
	if err != nil {
		return nil, nil, err
	}
	consumer, err := made.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       "erp",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       patience,
		MaxAckPending: 4 * places,
	})
	return stream, consumer, err
}

// accept publishes a body and waits for the acknowledgement.
func accept(stream jetstream.JetStream) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := stream.Publish(r.Context(), subject, body); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

// deliver posts what the consumer gives, many at once; it returns when the consumer ends.
func deliver(consumer jetstream.Consumer, target string, places int) error {
	client := &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: places},
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4 * places))
	if err != nil {
		return err
	}
	waiting := make(chan jetstream.Msg)
	for range places {
		go func() {
			for message := range waiting {
				if err := post(client, target, message); err != nil {
					log.Print(err) // comes again after AckWait
				}
			}
		}()
	}
	for {
		message, err := messages.Next()
		if err != nil {
			return err
		}
		waiting <- message
	}
}

func post(client *http.Client, target string, message jetstream.Msg) error {
	response, err := client.Post(target, "application/json", bytes.NewReader(message.Data()))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the upstream answered %s", response.Status)
	}
	return message.Ack()
}
