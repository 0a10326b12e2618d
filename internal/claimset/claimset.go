// Package claimset reads what a token says, as it says it. It judges nothing: whether the claims may be believed and what
// follows from them is package policy's to say.
package claimset

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/refuse"
	"github.com/entra-go/entra/internal/strictjson"
	"github.com/golang-jwt/jwt/v5"
)

// Set is a claim set. Its fields have the names of the claims on the wire, and are zero where the token lacks the claim.
// It holds no pointer to anything of its reader's, so that one on the stack stays there.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Set struct {
	Aud      string // the only audience, or the first
	AudCount int
	Iss      string
	Exp      time.Time
	Nbf      time.Time
	Iat      time.Time
	Ver      string

	Tid, Oid, Sub    string
	Azp, AzpACR      string // the client and how it proved itself, in version 2.0 tokens
	AppID, AppIDACR  string // the same in version 1.0 tokens
	IDTyp, Scp       string
	HasIDTyp, HasScp bool     // whether the token has the claims at all
	Scopes           []string // the names in scp
	Roles            []string
	Cnf              bool   // bound to a key
	IDTokenClaim     string // the name of a claim that only ID tokens have, such as nonce

	Groups        []string
	GroupsOverage bool // hasgroups, groups:src1 or _claim_names: there are too many groups for the token
	Wids          []string
	ACRs          []string // acrs, the authentication contexts
	XmsCC         []string
	ACR, TFP      string // the B2C policy; acr has another meaning elsewhere
	Acct          float64
	HasAcct       bool
	IDP, UTI, SID string

	XmsActFct, XmsSubFct, XmsParAppAzp string
	HasXmsParAppAzp                    bool

	Name, PreferredUsername, UPN, UniqueName string
	Email, LoginHint                         string
	XmsEDOV                                  bool
}

// Read decodes text by exact names: a name that differs in case only is another claim, never read and never a reason to
// refuse. Strings of the Set share memory with text, its lists lie in room as long as that has capacity. With an error
// the Set holds the claims that were read before it, for the log.
func Read(text string, room []string) (Set, error) {
	r := reader{room: room[:0]}
	if err := strictjson.Object(text, r.read); err != nil {
		return r.set, refuse.New(refuse.Claims, "the claims cannot be accepted: %v; Entra writes none so: look at the claims mapping or custom policy that makes them", err).Because(jwt.ErrTokenInvalidClaims)
	}
	r.set.Scopes = scopes(r.set.Scp, r.room)
	return r.set, nil
}

// Issuer returns the iss of a payload whose signature was not checked, to choose who judges the token. It reads no further
// than to the first iss: whoever judges the token reads all of it, strictly. A payload without iss is nobody's to judge: all
// of it is read here.
func Issuer(payload string) (string, error) {
	issuer, err := strictjson.First(payload, "iss")
	if issuer == "" && err == nil {
		err = strictjson.Object(payload, func(_ string, value *strictjson.Reader) error { return value.Skip() })
	}
	if err != nil {
		return "", refuse.New(refuse.Claims, "the claims cannot be accepted: %v", err).Because(jwt.ErrTokenInvalidClaims)
	}
	return issuer, nil
}

// Unverified returns the iss and the first aud of a payload whose signature was not checked, for a text. What cannot be
// read is "".
func Unverified(payload string) (issuer, audience string) {
	// What was read before an error is as good for a text.
	_ = strictjson.Object(payload, func(name string, value *strictjson.Reader) (err error) {
		switch name {
		case "iss":
			issuer, err = value.Text()
		case "aud":
			var list []string
			if list, err = value.TextOrTexts(nil); len(list) > 0 {
				audience = list[0]
			}
		default:
			err = value.Skip()
		}
		return err
	})
	return issuer, audience
}

// reader fills a Set. It holds the Set itself: one behind a pointer would move to the heap.
type reader struct {
	set  Set
	room []string // empty, with capacity for entries of lists
}

func (r *reader) read(name string, value *strictjson.Reader) (err error) {
	s := &r.set
	switch name {
	case "aud":
		err = r.audience(value)
	case "iss":
		s.Iss, err = value.Text()
	case "exp":
		s.Exp, err = date(value)
	case "nbf":
		s.Nbf, err = date(value)
	case "iat":
		s.Iat, err = date(value)
	case "ver":
		s.Ver, err = value.Text()
	case "tid":
		s.Tid, err = value.Text()
	case "oid":
		s.Oid, err = value.Text()
	case "sub":
		s.Sub, err = value.Text()
	case "azp":
		s.Azp, err = value.Text()
	case "appid":
		s.AppID, err = value.Text()
	case "azpacr":
		s.AzpACR, err = value.Text()
	case "appidacr":
		s.AppIDACR, err = value.Text()
	case "idtyp":
		s.HasIDTyp = true
		s.IDTyp, err = value.Text()
	case "scp":
		s.HasScp = true
		s.Scp, err = value.Text()
	case "roles":
		s.Roles, err = r.list(value)
	case "cnf":
		s.Cnf, err = true, value.Any()
	case "nonce", "at_hash", "c_hash":
		s.IDTokenClaim, err = name, value.Any()
	case "groups":
		s.Groups, err = r.list(value)
	case "hasgroups":
		err = either(&s.GroupsOverage, value)
	case "groups:src1":
		s.GroupsOverage, err = true, value.Any()
	case "_claim_names":
		err = r.claimNames(value)
	case "wids":
		s.Wids, err = r.list(value)
	case "acrs":
		s.ACRs, err = r.list(value)
	case "xms_cc":
		s.XmsCC, err = r.list(value)
	case "acr":
		s.ACR, err = value.Text()
	case "tfp":
		s.TFP, err = value.Text()
	case "acct":
		s.HasAcct = true
		s.Acct, err = value.Number()
	case "idp":
		s.IDP, err = value.Text()
	case "uti":
		s.UTI, err = value.Text()
	case "sid":
		s.SID, err = value.Text()
	case "xms_act_fct":
		s.XmsActFct, err = value.Text()
	case "xms_sub_fct":
		s.XmsSubFct, err = value.Text()
	case "xms_par_app_azp":
		s.HasXmsParAppAzp = true
		s.XmsParAppAzp, err = value.Text()
	case "name":
		s.Name, err = value.Text()
	case "preferred_username":
		s.PreferredUsername, err = value.Text()
	case "upn":
		s.UPN, err = value.Text()
	case "unique_name":
		s.UniqueName, err = value.Text()
	case "email":
		s.Email, err = value.Text()
	case "xms_edov":
		err = either(&s.XmsEDOV, value)
	case "login_hint":
		s.LoginHint, err = value.Text()
	default:
		err = value.Skip()
	}
	return strictjson.InMember(name, err)
}

// list reads an array of strings, into the room for lists as long as there is some.
func (r *reader) list(value *strictjson.Reader) ([]string, error) {
	list, err := value.Texts(r.room)
	n := len(list)
	if n <= cap(r.room) {
		r.room = r.room[n:n]
	}
	// Without spare capacity: appending to one list must not write into the next.
	return list[:n:n], err
}

func (r *reader) audience(value *strictjson.Reader) error {
	list, err := value.TextOrTexts(r.room)
	if r.set.AudCount = len(list); r.set.AudCount > 0 {
		r.set.Aud = list[0]
	}
	return err
}

// claimNames finds out whether groups were left out of the token because there are too many.
func (r *reader) claimNames(value *strictjson.Reader) error {
	raw, err := value.Raw()
	if err != nil {
		return err
	}
	return strictjson.Object(raw, func(name string, value *strictjson.Reader) error {
		if name == "groups" {
			r.set.GroupsOverage = true
		}
		return value.Skip()
	})
}

// scopes returns the names in an scp claim, which single or several spaces separate. An agent that acts for itself may
// have the claim, empty or "/": no name at all.
func scopes(scp string, room []string) []string {
	names := room
	for name := range strings.SplitSeq(scp, " ") {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 || len(names) == 1 && names[0] == "/" {
		return nil
	}
	return names
}

func either(flag *bool, value *strictjson.Reader) error {
	truth, err := value.Truth()
	*flag = *flag || truth
	return err
}

// maxDate is the last second of the year 9999, beyond which dates have no common text.
const maxDate = 253402300799

// date reads a NumericDate of RFC 7519 section 2: a number of seconds since 1970, perhaps with a fraction.
func date(value *strictjson.Reader) (time.Time, error) {
	n, err := value.Number()
	if err != nil {
		return time.Time{}, err
	}
	if n < 0 || n > maxDate {
		return time.Time{}, errors.New("is no date between 1970 and 9999, in seconds")
	}
	whole, fraction := math.Modf(n)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), nil
}
