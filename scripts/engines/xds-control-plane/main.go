// The control plane of Envoy's own library, as a peer: endpoints are set line by line on its standard input.
//
//	set <name> <ClusterLoadAssignment as JSON>   makes or replaces a resource: "ok"
//	remove <name>                                takes it away: "ok"
//	log                                          what clients have said since the last time, as a JSON list
//	drop                                         ends all connections: "ok"
//	fill <services> <endpoints>                  makes so many clusters, each with so many endpoints: "ok"
//	change <service> <endpoints> <address>       moves the first endpoint of one there: "ok"
//
// With `fleet <address> <proxies> <services> delta|sotw` it is the proxies instead (fleet.go).
// Ends when its standard input ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
)

type said struct {
	Names   []string `json:"names"`
	Version string   `json:"version"`
	Nonce   string   `json:"nonce"`
	Error   string   `json:"error,omitempty"`
	Node    string   `json:"node"`
	Delta   bool     `json:"delta"`
}

type listener struct {
	mutex sync.Mutex
	heard []said
}

// What a fleet says is not noted: a peer is not to be slowed by being watched.
var isQuiet atomic.Bool

func (l *listener) note(s said) {
	if isQuiet.Load() {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.heard = append(l.heard, s)
}

func (l *listener) take() []said {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	heard := l.heard
	l.heard = []said{}
	return heard
}

type drops struct {
	net.Listener
	mutex sync.Mutex
	open  []net.Conn
}

func (d *drops) Accept() (net.Conn, error) {
	connection, err := d.Listener.Accept()
	if err == nil {
		d.mutex.Lock()
		d.open = append(d.open, connection)
		d.mutex.Unlock()
	}
	return connection, err
}

func (d *drops) drop() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, connection := range d.open {
		connection.Close()
	}
	d.open = nil
}

func main() {
	if len(os.Args) > 5 && os.Args[1] == "fleet" {
		runFleet(os.Args[2:])
		return
	}
	heard := &listener{heard: []said{}}
	endpoints := cache.NewLinearCache(resource.EndpointType)
	clusters := cache.NewLinearCache(resource.ClusterType)
	mux := &cache.MuxCache{
		Classify:      func(request *cache.Request) string { return request.TypeUrl },
		ClassifyDelta: func(request *cache.DeltaRequest) string { return request.TypeUrl },
		Caches:        map[string]cache.Cache{resource.EndpointType: endpoints, resource.ClusterType: clusters},
	}
	callbacks := server.CallbackFuncs{
		StreamRequestFunc: func(_ int64, r *discoveryv3.DiscoveryRequest) error {
			heard.note(said{r.ResourceNames, r.VersionInfo, r.ResponseNonce, r.GetErrorDetail().GetMessage(), r.GetNode().GetId(), false})
			return nil
		},
		StreamDeltaRequestFunc: func(_ int64, r *discoveryv3.DeltaDiscoveryRequest) error {
			heard.note(said{r.ResourceNamesSubscribe, "", r.ResponseNonce, r.GetErrorDetail().GetMessage(), r.GetNode().GetId(), true})
			return nil
		},
	}
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	socket, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	place := &drops{Listener: socket}
	program := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(program, server.NewServer(context.Background(), mux, callbacks))
	go program.Serve(place)
	fmt.Printf("ready %d\n", socket.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16*1024*1024)
	for lines.Scan() {
		fmt.Println(answer(lines.Text(), clusters, endpoints, heard, place))
	}
}

func answer(line string, clusters, endpoints *cache.LinearCache, heard *listener, place *drops) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "set":
		name, content, _ := strings.Cut(rest, " ")
		assignment := &endpointv3.ClusterLoadAssignment{}
		if err := protojson.Unmarshal([]byte(content), assignment); err != nil {
			return "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if err := endpoints.UpdateResource(name, types.Resource(assignment)); err != nil {
			return "error " + err.Error()
		}
	case "remove":
		if err := endpoints.DeleteResource(rest); err != nil {
			return "error " + err.Error()
		}
	case "fill":
		var services, each int
		fmt.Sscan(rest, &services, &each)
		fill(clusters, endpoints, services, each)
		isQuiet.Store(true)
	case "change":
		var service, each int
		var address string
		fmt.Sscan(rest, &service, &each, &address)
		name := serviceName(service)
		if err := endpoints.UpdateResource(name, types.Resource(assignment(name, service, each, address))); err != nil {
			return "error " + err.Error()
		}
	case "log":
		text, _ := json.Marshal(heard.take())
		return string(text)
	case "drop":
		place.drop()
	default:
		return "error unknown verb " + verb
	}
	return "ok"
}
