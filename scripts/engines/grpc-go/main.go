// The grpc-go peer: `grpc-go server` and `grpc-go client <host:port>`.
//
// The server prints `ready <port>`; the client prints `ready 0` and, for each line `run <ms>` on its standard input,
// `calls <n>`. Both end when their standard input does. Messages are bytes that nobody decodes, so that what is
// measured is the transport.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// rawCodec passes messages through. Its name is that of the default codec, so the content-type stays the usual one.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}
func (rawCodec) Name() string { return "proto" }

func unary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new([]byte)
	if err := decode(in); err != nil {
		return nil, err
	}
	return in, nil
}

// stream answers fixed32 count = 1, fixed32 size = 2 with that many messages of that size.
func stream(_ any, s grpc.ServerStream) error {
	in := new([]byte)
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	if len(*in) != 10 {
		return fmt.Errorf("expected 10 bytes, found %d", len(*in))
	}
	count, size := binary.LittleEndian.Uint32((*in)[1:]), binary.LittleEndian.Uint32((*in)[6:])
	message := make([]byte, size)
	for range count {
		if err := s.SendMsg(&message); err != nil {
			return err
		}
	}
	return nil
}

var echo = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams:     []grpc.StreamDesc{{StreamName: "ServerStream", Handler: stream, ServerStreams: true}},
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}))
	server.RegisterService(&echo, struct{}{})
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(server.Serve(listener))
}

const inFlight = 100

func client(target string) {
	connection, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready 0")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		ms, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "run "))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("calls %d\n", run(connection, time.Duration(ms)*time.Millisecond))
	}
}

func run(connection *grpc.ClientConn, duration time.Duration) int64 {
	var calls atomic.Int64
	var all sync.WaitGroup
	var over atomic.Bool
	time.AfterFunc(duration, func() { over.Store(true) })
	message := make([]byte, 100)
	message[0], message[1] = 0x0a, 98
	for range inFlight {
		all.Go(func() {
			for !over.Load() {
				out := new([]byte)
				if err := connection.Invoke(context.Background(), "/bench.Echo/Unary", &message, out); err != nil {
					log.Fatal(err)
				}
				if len(*out) != len(message) {
					log.Fatalf("expected %d bytes, found %d", len(message), len(*out))
				}
				calls.Add(1)
			}
		})
	}
	all.Wait()
	return calls.Load()
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "server":
		serve()
	case len(os.Args) == 3 && os.Args[1] == "client":
		client(os.Args[2])
	default:
		log.Fatal("usage: grpc-go server | client <host:port>")
	}
}
