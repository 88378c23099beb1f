// Helm's own loader, linter and template engine: `helm-render lint|template <chart> [values.yaml]`. The whole of Helm adds
// clients of clusters and of registries to it, which take most of its build and are of no use here.
package main

import (
	"fmt"
	"os"
	"sort"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: helm-render lint|template <chart> [values.yaml]"))
	}
	values := chartutil.Values{}
	if len(os.Args) > 3 {
		read, err := chartutil.ReadValuesFile(os.Args[3])
		fail(err)
		values = read
	}
	if os.Args[1] == "lint" {
		lintChart(os.Args[2], values)
		return
	}
	template(os.Args[2], values)
}

func lintChart(path string, values chartutil.Values) {
	result := lint.All(path, values, "heddle", true)
	for _, message := range result.Messages {
		fmt.Println(message)
	}
	if result.HighestSeverity >= support.WarningSev {
		os.Exit(1)
	}
}

func template(path string, values chartutil.Values) {
	chart, err := loader.Load(path)
	fail(err)
	release := chartutil.ReleaseOptions{Name: "heddle", Namespace: "heddle", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	fail(err)
	rendered, err := engine.Render(chart, all)
	fail(err)
	names := make([]string, 0, len(rendered))
	for name := range rendered {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("---\n# %s\n%s\n", name, rendered[name])
	}
}

func fail(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
