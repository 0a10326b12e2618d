package oracle

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/strictjson/plainjson"
)

// reading is a JSON object with exact names, and what is wrong with the token that it is from.
type reading struct {
	members map[string]json.RawMessage
	wrong   []error
}

func (r *reading) object(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf(format, args...))
}

func (r *reading) has(name string) bool { return r.members[name] != nil }

// text returns a member that must be a string if it is there.
func (r *reading) text(name string) string {
	value, isText := plainjson.Text(r.members, name)
	if r.has(name) && !isText {
		r.object("%s is %s, want a string", name, r.members[name])
	}
	return value
}

// first returns the first of the members that is not empty.
func (r *reading) first(names ...string) string {
	for _, name := range names {
		if value := r.text(name); value != "" {
			return value
		}
	}
	return ""
}

// texts returns a member that must be an array of strings if it is there.
func (r *reading) texts(name string) (list []string) {
	if !r.has(name) {
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(r.members[name], &raw); err != nil || raw == nil {
		r.object("%s is %s, want an array", name, r.members[name])
	}
	for _, element := range raw {
		value, isText := plainjson.Text(map[string]json.RawMessage{"": element}, "")
		if !isText {
			r.object("%s has the element %s, want a string", name, element)
		}
		list = append(list, value)
	}
	return list
}

// date returns a member that must be a number of seconds from 1970 to 9999 (RFC 7519 section 2, NumericDate) if it is
// there.
func (r *reading) date(name string) (seconds float64, at time.Time) {
	if !r.has(name) {
		return 0, time.Time{}
	}
	err := json.Unmarshal(r.members[name], &seconds)
	if err != nil || string(r.members[name]) == "null" || seconds < 0 || seconds > 253402300799 {
		r.object("%s is %s, want a number of seconds until the year 9999", name, r.members[name])
	}
	whole, fraction := math.Modf(seconds)
	return seconds, time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}

// oneAudience returns aud, which may be an array of one.
func (r *reading) oneAudience() string {
	if raw := r.members["aud"]; raw == nil || raw[0] != '[' {
		return r.text("aud")
	}
	if list := r.texts("aud"); len(list) == 1 {
		return list[0]
	}
	r.object("aud is %s, want one", r.members["aud"])
	return ""
}

// audience returns aud without one trailing slash, which makes no difference.
func (r *reading) audience() string { return strings.TrimSuffix(r.oneAudience(), "/") }

// client returns which application asked for the token, and how it proved itself.
func (r *reading) client() (id, proof string) {
	if r.text("azp") == "" || r.text("ver") == "1.0" && r.text("appid") != "" {
		return r.text("appid"), r.text("appidacr")
	}
	return r.text("azp"), r.text("azpacr")
}

// proved reports whether the client proved itself to Entra: by a secret (1), or by a certificate or federation (2).
func (r *reading) proved() bool {
	_, proof := r.client()
	if proof == "" {
		proof = r.first("azpacr", "appidacr")
	}
	return proof == "1" || proof == "2"
}

// scopes returns the names in scp, which spaces separate (RFC 6749 section 3.3). A slash alone means none.
func (r *reading) scopes() []string {
	scp := r.text("scp")
	if scp == "/" {
		return nil
	}
	return slices.DeleteFunc(strings.Split(scp, " "), func(name string) bool { return name == "" })
}
