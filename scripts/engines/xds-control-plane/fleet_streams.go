package main

import (
	"context"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

type asking func(typeURL string, names []string) error

// Opens a stream of the protocol that the fleet speaks: what comes, and how it is asked.
func (f *fleet) open(client discoveryv3.AggregatedDiscoveryServiceClient, node *corev3.Node) (func() (*answered, error), asking, error) {
	if f.delta {
		stream, err := client.DeltaAggregatedResources(context.Background())
		if err != nil {
			return nil, nil, err
		}
		return func() (*answered, error) { return nextDelta(stream) }, func(typeURL string, names []string) error {
			return stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: typeURL, ResourceNamesSubscribe: names})
		}, nil
	}
	stream, err := client.StreamAggregatedResources(context.Background())
	if err != nil {
		return nil, nil, err
	}
	return func() (*answered, error) { return nextWhole(stream) }, func(typeURL string, names []string) error {
		return stream.Send(&discoveryv3.DiscoveryRequest{Node: node, TypeUrl: typeURL, ResourceNames: names})
	}, nil
}

func nextDelta(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient) (*answered, error) {
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	answer := &answered{typeURL: response.TypeUrl}
	for _, each := range response.Resources {
		answer.names = append(answer.names, each.Name)
		answer.contents = append(answer.contents, each.Resource.GetValue())
	}
	answer.ack = func([]string) error {
		return stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce})
	}
	return answer, nil
}

// An acknowledgement names all that is wanted, as Envoy's does.
func nextWhole(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient) (*answered, error) {
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	answer := &answered{typeURL: response.TypeUrl}
	for _, each := range response.Resources {
		answer.names = append(answer.names, nameOf(each))
		answer.contents = append(answer.contents, each.GetValue())
	}
	answer.ack = func(names []string) error {
		if response.TypeUrl != resource.EndpointType {
			names = nil
		}
		return stream.Send(&discoveryv3.DiscoveryRequest{
			TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce, VersionInfo: response.VersionInfo, ResourceNames: names,
		})
	}
	return answer, nil
}

func nameOf(each *anypb.Any) string {
	if each.GetTypeUrl() == resource.ClusterType {
		cluster := &clusterv3.Cluster{}
		if proto.Unmarshal(each.GetValue(), cluster) == nil {
			return cluster.Name
		}
	}
	assignment := &endpointv3.ClusterLoadAssignment{}
	if proto.Unmarshal(each.GetValue(), assignment) == nil {
		return assignment.ClusterName
	}
	return ""
}
