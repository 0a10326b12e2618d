package entra

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/entra-go/entra/internal/strictjson"
)

// payload is a token's claim set as it stands in the token: read, but not judged.
type payload struct {
	claims *Claims  // of its fields, those that are copies of one claim
	room   []string // empty, with capacity for entries of the claims' lists

	audience                              string // the only one or the first
	audiences                             int
	azp, appid, azpacr, appidacr          string
	idtyp, scp, acr, tfp, upn, uniqueName string
	actorFacets, subjectFacets            string
	hasAcct                               bool
	hasIDType, hasScope, bound            bool
	idTokenClaim                          string // the name of a claim that only ID tokens have
}

// from decodes text by exact names. A name that differs in case only is another claim: never read, never a reason to
// refuse. Strings of the claims share memory with text.
func (p *payload) from(text string) error {
	p.claims.raw = &text
	if err := strictjson.Object(text, p.read); err != nil {
		return badClaims("the claims cannot be accepted: " + err.Error())
	}
	p.claims.Scopes = p.scopes()
	return nil
}

// scopes returns the names in an scp claim, which single or several spaces separate. An agent that acts for itself may
// have the claim, empty or "/": no name at all.
func (p *payload) scopes() []string {
	names := p.room
	for name := range strings.SplitSeq(p.scp, " ") {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 || len(names) == 1 && names[0] == "/" {
		return nil
	}
	return names
}

// list reads an array of strings, into the room for lists as long as there is some.
func (p *payload) list(value *strictjson.Reader) ([]string, error) {
	list, err := value.Texts(p.room)
	n := len(list)
	if n <= cap(p.room) {
		p.room = p.room[n:n]
	}
	return list[:n:n], err
}

func (p *payload) readAudience(value *strictjson.Reader) error {
	list, err := value.TextOrTexts(p.room)
	if p.audiences = len(list); p.audiences > 0 {
		p.audience = list[0]
	}
	return err
}

func (p *payload) read(name string, value *strictjson.Reader) (err error) {
	c := p.claims
	switch name {
	case "aud":
		err = p.readAudience(value)
	case "iss":
		c.Issuer, err = value.Text()
	case "exp":
		c.ExpiresAt, err = date(value)
	case "nbf":
		c.NotBefore, err = date(value)
	case "iat":
		c.IssuedAt, err = date(value)
	case "tid":
		c.TenantID, err = value.Text()
	case "oid":
		c.ObjectID, err = value.Text()
	case "sub":
		c.Subject, err = value.Text()
	case "ver":
		c.Version, err = value.Text()
	case "azp":
		p.azp, err = value.Text()
	case "appid":
		p.appid, err = value.Text()
	case "azpacr":
		p.azpacr, err = value.Text()
	case "appidacr":
		p.appidacr, err = value.Text()
	case "idtyp":
		p.hasIDType = true
		p.idtyp, err = value.Text()
	case "scp":
		p.hasScope = true
		p.scp, err = value.Text()
	case "roles":
		c.Roles, err = p.list(value)
	case "cnf":
		p.bound, err = true, value.Any()
	case "nonce", "at_hash", "c_hash":
		p.idTokenClaim, err = name, value.Any()
	default:
		return p.readMore(name, value)
	}
	return strictjson.InMember(name, err)
}

// readMore reads the claims that say more about the caller and decide nothing by themselves.
func (p *payload) readMore(name string, value *strictjson.Reader) (err error) {
	c := p.claims
	switch name {
	case "groups":
		c.Groups, err = p.list(value)
	case "hasgroups":
		err = either(&c.GroupsOverage, value)
	case "groups:src1":
		c.GroupsOverage, err = true, value.Any()
	case "_claim_names":
		err = p.readClaimNames(value)
	case "wids":
		c.DirectoryRoles, err = p.list(value)
	case "acrs":
		c.AuthContexts, err = p.list(value)
	case "xms_cc":
		c.ClientCapabilities, err = p.list(value)
	case "acr":
		p.acr, err = value.Text()
	case "tfp":
		p.tfp, err = value.Text()
	case "acct":
		err = p.readAccount(value)
	case "idp":
		c.IdentityProvider, err = value.Text()
	case "uti":
		c.TokenID, err = value.Text()
	case "sid":
		c.SessionID, err = value.Text()
	case "xms_act_fct":
		p.actorFacets, err = value.Text()
	case "xms_sub_fct":
		p.subjectFacets, err = value.Text()
	case "xms_par_app_azp":
		c.AgentBlueprint, err = value.Text()
	case "name":
		c.Name, err = value.Text()
	case "preferred_username":
		c.PreferredUsername, err = value.Text()
	case "upn":
		p.upn, err = value.Text()
	case "unique_name":
		p.uniqueName, err = value.Text()
	case "email":
		c.Email, err = value.Text()
	case "xms_edov":
		err = either(&c.EmailVerified, value)
	case "login_hint":
		c.LoginHint, err = value.Text()
	default:
		err = value.Skip()
	}
	return strictjson.InMember(name, err)
}

// readClaimNames finds out whether groups were left out of the token because there are too many (overage).
func (p *payload) readClaimNames(value *strictjson.Reader) error {
	raw, err := value.Raw()
	if err != nil {
		return err
	}
	return strictjson.Object(raw, func(name string, value *strictjson.Reader) error {
		if name == "groups" {
			p.claims.GroupsOverage = true
		}
		return value.Skip()
	})
}

func (p *payload) readAccount(value *strictjson.Reader) error {
	n, err := value.Number()
	p.hasAcct = true
	p.claims.Guest = n == 1
	return err
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
