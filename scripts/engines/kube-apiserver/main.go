// The module that kube-apiserver is built in; the program itself is Kubernetes’ own.
package main

func main() {}
