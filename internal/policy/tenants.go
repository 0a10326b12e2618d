package policy

import (
	"fmt"
	"strings"

	"github.com/entra-go/entra/internal/claimset"
	"github.com/entra-go/entra/internal/quote"
	"github.com/entra-go/entra/internal/refuse"
	"github.com/golang-jwt/jwt/v5"
)

// tenants is the authority of work and school tenants and of personal accounts: Microsoft's own login hosts, at which
// issuers follow from the tenant and the cloud.
type tenants struct {
	cloud    cloudFacts
	listed   []string           // work and school tenants, in the order given
	issuers  map[string]issuers // of the listed tenants and of PersonalAccounts
	byIssuer map[string]bool    // the same issuers; personal accounts have none of version 1.0
	personal bool
	any      bool
}

func readTenants(c *Config, wrong *mistakes) *tenants {
	t := &tenants{cloud: clouds[c.Cloud], any: c.AllowAnyTenant, issuers: make(map[string]issuers), byIssuer: make(map[string]bool)}
	for i, given := range c.Tenants {
		// Entra writes tid in lower case, and it is compared exactly.
		tenant := strings.ToLower(given)
		if !isGUID(tenant) {
			wrong.add(fmt.Sprintf("Tenants[%d]", i), "%s %s", quote.Text(given), notATenant(tenant))
			continue
		}
		// Naming a tenant twice is no mistake, but must not look like two tenants.
		if _, known := t.issuers[tenant]; known {
			continue
		}
		own := t.cloud.issuers(tenant)
		t.issuers[tenant], t.byIssuer[own.v2] = own, true
		// Personal accounts have version 2.0 tokens only, and stand for no tenant in URLs.
		if tenant == PersonalAccounts {
			t.personal = true
		} else {
			t.byIssuer[own.v1] = true
			t.listed = append(t.listed, tenant)
		}
	}
	switch {
	case c.AllowAnyTenant && len(t.listed) > 0:
		wrong.add("Tenants", "names %d tenants although AllowAnyTenant accepts every one; leave one of the two out (PersonalAccounts may stay)", len(t.listed))
	// An authority is one directory, which Tenants may pin.
	case c.Authority != "" && len(c.Tenants) > 1:
		wrong.add("Tenants", "names %d directories; an Authority has one", len(c.Tenants))
	case c.Authority != "" && t.personal:
		wrong.add("Tenants", "PersonalAccounts have no Authority; leave one of the two out")
	case len(c.Tenants) == 0 && !c.AllowAnyTenant && c.Authority == "":
		wrong.add("Tenants", "is empty; give the Directory (tenant) ID of each tenant whose tokens are accepted, or set AllowAnyTenant or Authority")
	}
	_, known := clouds[c.Cloud]
	if !known {
		wrong.add("Cloud", "%d is no cloud; expected Worldwide, USGovernment or China", int(c.Cloud))
	}
	if known && c.Cloud != Worldwide && t.personal {
		wrong.add("Tenants", "PersonalAccounts exist in the Worldwide cloud only, not in %s", c.Cloud)
	}
	return t
}

func notATenant(tenant string) string {
	switch {
	case strings.TrimSpace(tenant) == "":
		return "is blank; expected a Directory (tenant) ID, a GUID"
	case strings.TrimSpace(tenant) != tenant:
		return "has white space around it; remove it"
	case tenant == "consumers":
		return "is no tenant ID; use entra.PersonalAccounts"
	case tenant == "common" || tenant == "organizations":
		return "is no tenant ID; list the tenants, or set AllowAnyTenant"
	// After common and organizations, which have no dot.
	case strings.Contains(tenant, "."):
		return "is a domain name, and those can change hands; give the Directory (tenant) ID, the GUID on the tenant's overview page"
	}
	return "is no GUID; expected the Directory (tenant) ID, such as 72f988bf-86f1-41af-91ab-2d7cd011db47"
}

func (t *tenants) count() string {
	if t.personal {
		return fmt.Sprintf("%d and PersonalAccounts", len(t.listed))
	}
	return fmt.Sprint(len(t.listed))
}

// checkIssuer wants the exact issuer of the token's tenant in this cloud, with the version that the issuer has. The tenant
// is the token's tid; a trusted service of Microsoft's may leave that out.
func (t *tenants) checkIssuer(set *claimset.Set, trusted bool) (string, error) {
	tid := set.Tid
	if tid == "" && trusted {
		tid = tenantOf(set.Iss)
	}
	own, listed := t.issuers[tid]
	if !listed {
		if !isGUID(tid) {
			return "", refuse.New(refuse.Tenant, "the token's tid is %s; expected a directory ID, a GUID in lower case, as Entra sends it: look at who issued the token", quote.Text(tid))
		}
		own = t.cloud.issuers(tid)
	}
	var version string
	switch {
	case set.Iss == own.v2:
		version = "2.0"
	// Before the general case: Entra issues no such token, so an honest client cannot have one.
	case set.Iss == own.v1 && tid == PersonalAccounts:
		return "", refuse.New(refuse.Issuer, "issuer is %s; expected %s: personal accounts get version 2.0 tokens only", quote.Text(set.Iss), own.v2).
			Because(jwt.ErrTokenInvalidIssuer)
	case set.Iss == own.v1:
		version = "1.0"
	default:
		return "", refuse.New(refuse.Issuer, "issuer is %s; expected %s or %s, which follow from its tid and the cloud %s; tokens of another cloud need Options.Cloud, those of External ID, B2C or a custom domain Options.Authority",
			quote.Text(set.Iss), own.v2, own.v1, t.cloud.name).Because(jwt.ErrTokenInvalidIssuer)
	}
	// A token that contradicts itself was made by somebody else than Entra.
	if set.Ver != version {
		return "", refuse.New(refuse.Version, "the token's ver is %s; expected %s, the version of its issuer: Entra makes no such token, so look at who issued it", quote.Text(set.Ver), version)
	}
	// Only now the tenant: a foreign issuer is told as such, whatever tid it brings.
	if listed {
		return tid, nil
	}
	return tid, t.checkUnlisted(tid)
}

// checkUnlisted decides about a tenant that Options.Tenants does not name.
func (t *tenants) checkUnlisted(tenant string) error {
	switch {
	// Before AllowAnyTenant, which is about work and school tenants only.
	case tenant == PersonalAccounts:
		return refuse.New(refuse.Tenant, "the token is of a personal Microsoft account; add entra.PersonalAccounts to Options.Tenants if those are welcome")
	case t.any:
		return nil
	}
	return refuse.New(refuse.Tenant, "tenant %s is not accepted; expected %s: add it to Options.Tenants if it is a customer's, or set AllowAnyTenant and decide by Claims.TenantID", tenant, t.expected())
}

// expected is for texts: a long list would tell less than its length.
func (t *tenants) expected() string {
	switch {
	case len(t.issuers) == 1 && t.personal:
		return "personal accounts"
	case len(t.issuers) == 1:
		return t.listed[0]
	}
	return fmt.Sprintf("one of the %d in Options.Tenants", len(t.issuers))
}

// issuersOf returns how tokens of tenant name their issuer.
func (t *tenants) issuersOf(tenant string) issuers {
	if own, ok := t.issuers[tenant]; ok {
		return own
	}
	return t.cloud.issuers(tenant)
}

// checkKey holds a key to the issuer and cloud that the key document names for it.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
func (t *tenants) checkKey(set *claimset.Set, tenant string, owner KeyOwner) error {
	if !t.cloud.signsHere(owner.Cloud) {
		return refuse.New(refuse.KeyIssuer, "the token is signed with a key of the cloud %s, which does not sign for %s; set Options.Cloud if the tenant lives in that cloud", quote.Text(owner.Cloud), t.cloud.name)
	}
	switch {
	// A document need not name an owner; the issuer was compared already.
	case owner.Issuer == "":
		return nil
	case signsFor(owner.Issuer, set.Iss, tenant):
		return nil
	// The key document names version 2.0 issuers only, for keys that sign both versions.
	case set.Ver == "1.0" && signsFor(owner.Issuer, t.issuersOf(tenant).v2, tenant):
		return nil
	}
	return refuse.New(refuse.KeyIssuer, "the token of issuer %s is signed with a key that signs for %s only; Entra makes no such token: treat it as forged", quote.Text(set.Iss), quote.Text(owner.Issuer))
}

// signsFor reports whether issuer is the key's, with tenant in place of {tenantid} if that is a template.
func signsFor(keyIssuer, issuer, tenant string) bool {
	before, after, template := strings.Cut(keyIssuer, "{tenantid}")
	switch {
	case !template:
		return issuer == keyIssuer
	// Personal accounts have keys of their own, listed under their issuer: {tenantid} stands for the other tenants.
	case tenant == PersonalAccounts:
		return false
	}
	// Compared piece by piece, since replacing the placeholder in attacker-sized texts would allocate.
	rest, ok := strings.CutPrefix(issuer, before)
	return ok && strings.HasPrefix(rest, tenant) && rest[len(tenant):] == after
}

func (t *tenants) checkIdentity(set *claimset.Set) error {
	switch {
	case set.Oid == "":
		return missing("oid", ": its application has no service principal in the tenant, or an ID token was requested without the scope profile; create the service principal (az ad sp create), request that scope, or name the client in Options.TrustedClients")
	case set.Sub == "":
		return missing("sub", "; Entra always sends it: look at who issued the token")
	}
	return nil
}

// isGuest follows acct where the token has it, and else idp, which then names a foreign issuer.
func (t *tenants) isGuest(set *claimset.Set, tenant string) bool {
	switch {
	case set.HasAcct:
		return set.Acct == 1
	// Entra leaves idp out for members of the tenant.
	case set.IDP == "":
		return false
	}
	return set.IDP != set.Iss && set.IDP != t.issuersOf(tenant).v1
}

// url returns the tenants' place at their cloud's login host: under it are key document and sign-in page.
func (t *tenants) url() string { return "https://" + t.cloud.loginHost + "/" + t.inURL() }

// inURL is what stands for the accepted tenants in URLs of their cloud.
func (t *tenants) inURL() string {
	switch {
	case t.personal && (t.any || len(t.listed) > 0):
		return "common"
	case t.personal:
		return "consumers"
	// One tenant is asked for its own document, several for the one that all share.
	case len(t.listed) == 1:
		return t.listed[0]
	}
	return "organizations"
}

func (t *tenants) servers() (list []string) {
	// There is no list of all tenants; this document leads to the one of the user who signs in.
	if t.any {
		return []string{t.cloud.v2Issuer(t.inURL())}
	}
	for _, tenant := range t.listed {
		list = append(list, t.cloud.v2Issuer(tenant))
	}
	if t.personal {
		list = append(list, t.cloud.v2Issuer(PersonalAccounts))
	}
	return list
}
