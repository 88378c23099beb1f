//go:build tools

// The staging repositories of Kubernetes are modules of their own; go.mod pins them all to one release.
package main

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
