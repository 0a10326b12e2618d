// Package kubernetes holds tests only: the OIDC authenticator of Kubernetes' API server, configured as its users configure
// it, against the library and its fake tenant. It is a module of its own for the sake of what Kubernetes needs.
package kubernetes
