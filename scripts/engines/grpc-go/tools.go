//go:build tools

// The interop programs of grpc-go are built at the version that go.mod pins.
package main

import (
	_ "google.golang.org/grpc/interop/client"
	_ "google.golang.org/grpc/interop/server"
)
