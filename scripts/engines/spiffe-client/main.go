// Asks a Workload API with the library of SPIFFE's own makers, and prints a line of JSON for each answer.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
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

type token struct {
	ID       string   `json:"id"`
	Token    string   `json:"token"`
	Expiry   int64    `json:"expiryMs"`
	Audience []string `json:"audience"`
	Keys     int      `json:"keys"`
	// Whether the library itself believes it, by the keys that the API gives.
	Verified bool `json:"verified"`
	// Whom the API takes it for, when it is asked to judge.
	Validated string `json:"validated"`
	Problem   string `json:"problem,omitempty"`
}

// A token for the audience, judged here and by the API. A token that is given is judged, and none is asked for.
func jwt(ctx context.Context, client *workloadapi.Client, audience string, given string) token {
	said := token{Token: given}
	if given == "" {
		svid, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
		if err != nil {
			return token{Problem: err.Error()}
		}
		said = token{ID: svid.ID.String(), Token: svid.Marshal(), Expiry: svid.Expiry.UnixMilli(), Audience: svid.Audience}
	}
	bundles, err := client.FetchJWTBundles(ctx)
	if err != nil {
		return token{Problem: err.Error()}
	}
	for _, bundle := range bundles.Bundles() {
		said.Keys += len(bundle.JWTAuthorities())
	}
	parsed, err := jwtsvid.ParseAndValidate(said.Token, bundles, []string{audience})
	said.Verified = err == nil
	if err == nil {
		said.ID = parsed.ID.String()
	}
	validated, err := client.ValidateJWTSVID(ctx, said.Token, audience)
	if err != nil {
		said.Problem = err.Error()
	} else {
		said.Validated = validated.ID.String()
	}
	return said
}

func print(said any) {
	line, _ := json.Marshal(said)
	fmt.Println(string(line))
}

func main() {
	args := os.Args[1:]
	ctx := context.Background()
	switch {
	case len(args) == 1:
		if err := workloadapi.WatchX509Context(ctx, watcher{}, workloadapi.WithAddr(args[0])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(args) == 2 || len(args) == 3:
		client, err := workloadapi.New(ctx, workloadapi.WithAddr(args[0]))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		given := ""
		if len(args) == 3 {
			given = args[2]
		}
		print(jwt(ctx, client, args[1], given))
	default:
		fmt.Fprintln(os.Stderr, "usage: spiffe-client unix:///path [audience [token]]")
		os.Exit(2)
	}
}
