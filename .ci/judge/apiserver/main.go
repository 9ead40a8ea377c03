// Judges manifests as the API server would on `kubectl apply`: it decodes them strictly, fills in
// the defaults, drops what a feature gate keeps off, validates, and warns. A warning is a fault.
//
//	apiserver OUT
//
// The schemas know field names and types. This knows the values: enums, names, selectors that do
// not select, fields that are silently dropped.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sort"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	core "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
)

var strategies = map[string]rest.RESTCreateStrategy{
	"ConfigMap":             configmap.Strategy,
	"DaemonSet":             daemonset.Strategy,
	"EndpointSlice":         endpointslice.Strategy,
	"Namespace":             namespace.Strategy,
	"NetworkPolicy":         networkpolicy.Strategy,
	"PersistentVolume":      persistentvolume.Strategy,
	"PersistentVolumeClaim": persistentvolumeclaim.Strategy,
	"PodDisruptionBudget":   poddisruptionbudget.Strategy,
	"Service":               service.Strategy,
	"StatefulSet":           statefulset.Strategy,
	"StorageClass":          storageclass.Strategy,
}

var decoder = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDecoder()

var judged, faults int

func main() {
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*", "kubernetes", "*.yaml"))
	for _, file := range files {
		if filepath.Base(file) != "kustomization.yaml" {
			judge(file)
		}
	}
	if judged == 0 {
		fault("apiserver", "nothing to judge")
	}
	fmt.Printf("apiserver: %d objects, %d faults\n", judged, faults)
	if faults > 0 {
		os.Exit(1)
	}
}

func fault(where string, what any) {
	faults++
	fmt.Printf("%s: %v\n", where, what)
}

func judge(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		fault(file, err)
		return
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if err == io.EOF {
			return
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			fault(file, err)
			continue
		}
		judged++
		create(file, object, kind)
	}
}

// create does what the API server does before it stores a new object.
func create(file string, object runtime.Object, kind *schema.GroupVersionKind) {
	strategy, ok := strategies[kind.Kind]
	if !ok {
		fault(file, "no strategy for "+kind.Kind)
		return
	}
	header, err := meta.Accessor(object)
	if err != nil {
		fault(file, err)
		return
	}
	if strategy.NamespaceScoped() && header.GetNamespace() == "" {
		header.SetNamespace("default")
	}
	rest.FillObjectMetaSystemFields(header)
	ctx := request.WithNamespace(context.Background(), header.GetNamespace())
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version})
	if service, ok := object.(*core.Service); ok && service.Spec.ClusterIP != "" {
		// What the allocator of addresses does before.
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}

	asked := fields(object, kind)
	if err := rest.BeforeCreate(strategy, ctx, object); err != nil {
		fault(file, err)
		return
	}
	for _, warning := range strategy.WarningsOnCreate(ctx, object) {
		fault(file, kind.Kind+" "+header.GetName()+": "+warning)
	}
	for _, path := range dropped("", asked, fields(object, kind)) {
		fault(file, kind.Kind+" "+header.GetName()+": "+path+" is dropped in silence: its feature gate is off")
	}
}

// fields gives the object as the file has it, with the defaults.
func fields(object runtime.Object, kind *schema.GroupVersionKind) map[string]any {
	versioned, err := legacyscheme.Scheme.ConvertToVersion(object.DeepCopyObject(), kind.GroupVersion())
	if err != nil {
		panic(err)
	}
	found, err := runtime.DefaultUnstructuredConverter.ToUnstructured(versioned)
	if err != nil {
		panic(err)
	}
	delete(found, "status")
	// Set by the defaults of a DaemonSet, and taken away again.
	unstructured.RemoveNestedField(found, "metadata", "annotations", "deprecated.daemonset.template.generation")
	return found
}

// dropped gives the paths that were asked for and are not there.
func dropped(path string, asked, got any) (paths []string) {
	switch asked := asked.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for key, value := range asked {
			paths = append(paths, dropped(path+"."+key, value, got[key])...)
		}
	case []any:
		got, _ := got.([]any)
		for i, value := range asked {
			if i >= len(got) {
				return append(paths, path)
			}
			paths = append(paths, dropped(fmt.Sprintf("%s[%d]", path, i), value, got[i])...)
		}
	default:
		if !reflect.DeepEqual(asked, got) {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	return paths
}
