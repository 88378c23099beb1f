package main

import (
	"fmt"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A mesh of so many services with so many endpoints each.
func fill(clusters, endpoints *cache.LinearCache, services, each int) {
	ads := &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
	all := map[string]types.Resource{}
	assignments := map[string]types.Resource{}
	for at := 0; at < services; at++ {
		name := serviceName(at)
		all[name] = &clusterv3.Cluster{
			Name:                 name,
			ConnectTimeout:       durationpb.New(10e9),
			ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
			EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads, ServiceName: name},
			LbPolicy:             clusterv3.Cluster_LEAST_REQUEST,
		}
		assignments[name] = assignment(name, at, each, "")
	}
	clusters.SetResources(all)
	endpoints.SetResources(assignments)
}

func serviceName(at int) string {
	return fmt.Sprintf("outbound|80||service-%d.fleet.svc.cluster.local", at)
}

// `first`: the address of the first endpoint instead of its own.
func assignment(name string, service, each int, first string) *endpointv3.ClusterLoadAssignment {
	places := make([]*endpointv3.LbEndpoint, each)
	for at := range places {
		address := fmt.Sprintf("10.%d.%d.%d", service>>8, service&255, at)
		if at == 0 && first != "" {
			address = first
		}
		places[at] = &endpointv3.LbEndpoint{
			HealthStatus:        corev3.HealthStatus_HEALTHY,
			LoadBalancingWeight: wrapperspb.UInt32(1),
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
				Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
					Address: address, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 8080},
				}}},
			}},
		}
	}
	return &endpointv3.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpointv3.LocalityLbEndpoints{{
		Locality: &corev3.Locality{}, LoadBalancingWeight: wrapperspb.UInt32(uint32(each)), LbEndpoints: places,
	}}}
}
