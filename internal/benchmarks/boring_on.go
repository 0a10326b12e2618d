//go:build boringcrypto

package main

import "crypto/boring"

// boringEnabled reports whether crypto/rsa and crypto/sha256 use BoringCrypto. The experiment alone does not suffice: it
// also takes Linux on amd64 or arm64, and cgo.
func boringEnabled() bool { return boring.Enabled() }
