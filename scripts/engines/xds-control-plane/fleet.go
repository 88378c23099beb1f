// A fleet of proxies as far as their control plane can tell: each has a connection of its own, takes all clusters and the
// endpoints of each, and acknowledges everything.
//
//	expect <text>   from now on, the assignment that says this is waited for: "ok"
//	wait            answers when all have acknowledged it, with what that took, as JSON
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
)

type fleet struct {
	size      int
	services  int
	delta     bool
	wanted    atomic.Pointer[[]byte]
	began     time.Time
	left      atomic.Int64
	done      chan time.Duration
	bytes     atomic.Int64
	resources atomic.Int64
	messages  atomic.Int64
	full      sync.WaitGroup
}

func (f *fleet) TagRPC(c context.Context, _ *stats.RPCTagInfo) context.Context   { return c }
func (f *fleet) TagConn(c context.Context, _ *stats.ConnTagInfo) context.Context { return c }
func (f *fleet) HandleConn(context.Context, stats.ConnStats)                     {}
func (f *fleet) HandleRPC(_ context.Context, s stats.RPCStats) {
	if payload, ok := s.(*stats.InPayload); ok {
		f.bytes.Add(int64(payload.WireLength))
	}
}

// What either protocol's answers have in common.
type answered struct {
	typeURL  string
	contents [][]byte
	names    []string
	ack      func(names []string) error
}

func runFleet(args []string) {
	f := &fleet{done: make(chan time.Duration, 1)}
	address := args[0]
	f.size, _ = strconv.Atoi(args[1])
	f.services, _ = strconv.Atoi(args[2])
	f.delta = args[3] == "delta"
	f.full.Add(f.size)
	for i := 0; i < f.size; i++ {
		go func() {
			if err := f.proxy(address, i); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}()
	}
	f.full.Wait()
	fmt.Println("ready 0")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		if verb == "expect" {
			text := []byte(rest)
			f.left.Store(int64(f.size))
			f.bytes.Store(0)
			f.resources.Store(0)
			f.messages.Store(0)
			f.began = time.Now()
			f.wanted.Store(&text)
			fmt.Println("ok")
			continue
		}
		took := <-f.done
		text, _ := json.Marshal(map[string]any{
			"tookMs": float64(took.Nanoseconds()) / 1e6, "bytes": f.bytes.Load(),
			"resources": f.resources.Load(), "messages": f.messages.Load(),
		})
		fmt.Println(string(text))
	}
}

func (f *fleet) proxy(address string, number int) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(f),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256<<20)))
	if err != nil {
		return err
	}
	node := &corev3.Node{Id: fmt.Sprintf("proxy-%d.fleet", number), Cluster: "fleet", UserAgentName: "envoy"}
	client := discoveryv3.NewAggregatedDiscoveryServiceClient(connection)
	next, ask, err := f.open(client, node)
	if err != nil {
		return err
	}
	if err := ask(resource.ClusterType, nil); err != nil {
		return err
	}
	var all []string
	known := map[string]bool{}
	for {
		answer, err := next()
		if err != nil {
			return err
		}
		if err := answer.ack(all); err != nil {
			return err
		}
		f.messages.Add(1)
		f.resources.Add(int64(len(answer.names)))
		if answer.typeURL == resource.ClusterType {
			if all == nil {
				all = answer.names
				if err := ask(resource.EndpointType, all); err != nil {
					return err
				}
			}
			continue
		}
		if len(known) < f.services {
			for _, name := range answer.names {
				known[name] = true
			}
			if len(known) == f.services {
				f.full.Done()
			}
		}
		f.look(answer.contents)
	}
}

func (f *fleet) look(contents [][]byte) {
	wanted := f.wanted.Load()
	if wanted == nil {
		return
	}
	for _, content := range contents {
		if bytes.Contains(content, *wanted) && f.left.Add(-1) == 0 {
			f.done <- time.Since(f.began)
		}
	}
}
