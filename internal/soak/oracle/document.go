package oracle

import (
	"encoding/base64"
	"encoding/json"
	"slices"
)

// UsableKeys reads a key document as a verifier of Entra tokens should, by means of its own: it returns the IDs of the
// keys that can verify a token, and nil for a document that must change nothing.
func UsableKeys(document []byte) (keyIDs []string) {
	var set struct {
		Keys []struct{ Kty, Use, Kid, N, E string }
	}
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	moduli := make(map[string]string)
	conflict := make(map[string]bool)
	for _, key := range set.Keys {
		modulus, err := base64.RawURLEncoding.DecodeString(key.N)
		usable := err == nil && key.Kty == "RSA" && (key.Use == "" || key.Use == "sig") && len(modulus) == 256 && key.E == "AQAB"
		switch {
		case !usable || key.Kid == "":
		case moduli[key.Kid] != "":
			conflict[key.Kid] = conflict[key.Kid] || moduli[key.Kid] != key.N
		default:
			moduli[key.Kid] = key.N
			keyIDs = append(keyIDs, key.Kid)
		}
	}
	return slices.DeleteFunc(keyIDs, func(id string) bool { return conflict[id] })
}
