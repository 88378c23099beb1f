// Asks a Workload API with the library of SPIFFE's own makers, and prints a line of JSON for each answer.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type answer struct {
	ID       string `json:"id"`
	Serial   string `json:"serial"`
	NotAfter int64  `json:"notAfterMs"`
	Roots    int    `json:"roots"`
	Verified bool   `json:"verified"`
	Domain   string `json:"trustDomain"`
	Problem  string `json:"problem,omitempty"`
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	svid := update.DefaultSVID()
	said := answer{ID: svid.ID.String(), Serial: svid.Certificates[0].SerialNumber.String(), NotAfter: svid.Certificates[0].NotAfter.UnixMilli(), Domain: svid.ID.TrustDomain().String()}
	if bundle, err := update.Bundles.GetX509BundleForTrustDomain(svid.ID.TrustDomain()); err == nil {
		said.Roots = len(bundle.X509Authorities())
	}
	id, _, err := x509svid.Verify(svid.Certificates, update.Bundles)
	said.Verified = err == nil && id == svid.ID
	if err != nil {
		said.Problem = err.Error()
	}
	print(said)
}

func (watcher) OnX509ContextWatchError(err error) {
	print(answer{Problem: err.Error()})
}

func print(said answer) {
	line, _ := json.Marshal(said)
	fmt.Println(string(line))
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: spiffe-client unix:///path")
		os.Exit(2)
	}
	if err := workloadapi.WatchX509Context(context.Background(), watcher{}, workloadapi.WithAddr(os.Args[1])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
