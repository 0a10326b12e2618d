// Package kubelogin pins the github.com/Azure/kubelogin that the tests beside Kubernetes' authenticator build and run. It is
// a module of its own so that neither changes the versions of the other. Version 0.2.21 is the newest that Go 1.26.8 builds.
package kubelogin
