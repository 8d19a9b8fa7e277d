// Command policies enforces NetworkPolicies on a node: of each new connection that the packet filter
// hands to its queue, it tells whether the policies of the pods at both ends let it through.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the address of the API server and the rights there")
	node := flag.String("hostname-override", "", "name of the node")
	queue := flag.Int("nfqueue-id", 100, "number of the queue of the packet filter")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := enforce(ctx, *kubeconfig, networkpolicy.Config{NodeName: *node, QueueID: *queue}); err != nil {
		fmt.Fprintf(os.Stderr, "policies: %v\n", err)
		os.Exit(1)
	}
}

func enforce(ctx context.Context, kubeconfig string, config networkpolicy.Config) error {
	access, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(access)
	if err != nil {
		return err
	}
	known := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(
		client,
		known.Networking().V1().NetworkPolicies(),
		known.Core().V1().Namespaces(),
		known.Core().V1().Pods(),
		nil, nil, nil, nil,
		config,
	)
	if err != nil {
		return err
	}
	known.Start(ctx.Done())
	return controller.Run(ctx)
}
