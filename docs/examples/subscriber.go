// Prints ends of containers as they happen. Remembers what it has dealt with, over restarts.
//
//	go mod init example
//	go get github.com/nats-io/nats.go github.com/cloudevents/sdk-go/v2
//	go run subscriber.go edge-7
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/nats-io/nats.go"
)

type containerExited struct {
	Container string `json:"container"`
	ExitCode  int    `json:"exitCode"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: subscriber NODE")
	}
	node := strings.ReplaceAll(os.Args[1], ".", "_")
	url := os.Getenv("NATS_URL")
	if url == "" {
		url = nats.DefaultURL
	}
	connection, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	stream, err := connection.JetStream()
	if err != nil {
		log.Fatal(err)
	}
	subject := fmt.Sprintf("chronode.%s.pod.*.*.ContainerExited", node)
	subscription, err := stream.PullSubscribe(subject, "go-example", nats.BindStream("CHRONODE_"+node))
	if err != nil {
		log.Fatal(err)
	}
	for {
		messages, err := subscription.Fetch(64, nats.MaxWait(5*time.Second))
		if errors.Is(err, nats.ErrTimeout) {
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, message := range messages {
			event := cloudevents.NewEvent()
			if err := json.Unmarshal(message.Data, &event); err != nil {
				log.Printf("%s: %v", message.Subject, err)
				_ = message.Term() // it would come again for ever
				continue
			}
			var data containerExited
			if err := event.DataAs(&data); err != nil {
				log.Printf("%s: %v", event.ID(), err)
				_ = message.Term()
				continue
			}
			fmt.Println(event.Time().Format(time.RFC3339Nano), event.Source(), data.Container, data.ExitCode)
			if err := message.Ack(); err != nil {
				log.Print(err)
			}
		}
	}
}
