// kstatus prints the status that Flux, Helm and other users of kstatus compute of objects: of each
// file of its arguments, one object as JSON, a line with the status and the message.
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	for _, file := range os.Args[1:] {
		found, err := computed(file)
		if err != nil {
			fmt.Fprintf(os.Stderr, "kstatus: %s: %v\n", file, err)
			os.Exit(1)
		}
		fmt.Printf("%s\t%s\n", found.Status, found.Message)
	}
}

func computed(file string) (*status.Result, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	return status.Compute(object)
}
