// Package conformance_test shows the rules of what a valid token is, R1 to R99, through the whole library: each row signs
// a token, and Verify and Authenticate must accept it or refuse it for the reason that the row names.
package conformance_test

import "github.com/entra-go/entra/internal/tests/testbed"

// with is testbed.With, under a name that leaves the rows short.
var with = testbed.With
