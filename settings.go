package entra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/entra-go/entra/internal/quote"
)

// settings are Options in the form that judging needs: checked, normalised, with nothing left to decide.
type settings struct {
	tenants      []string // work and school tenants, in the order given
	accepted     map[string]issuers
	anyTenant    bool
	personal     bool
	clientID     string
	audiences    []string        // as given, then ClientID and its URI
	audienceSet  map[string]bool // the same without a slash at the end
	cloud        cloudFacts
	authority    *authority
	appKeys      bool
	idTokens     bool
	unpermitted  bool
	skew         time.Duration
	maxTokenSize int
	cacheSize    int
}

// mistakes gathers what is wrong with Options, so that one error can name all of it.
type mistakes []error

func (m *mistakes) add(field, format string, args ...any) {
	*m = append(*m, fmt.Errorf("entra: Options.%s: %s", field, fmt.Sprintf(format, args...)))
}

// settings checks o wholly. Its error names every mistake with its field, a line each.
func (o *Options) settings() (*settings, error) {
	var wrong mistakes
	s := &settings{
		anyTenant:   o.AllowAnyTenant,
		appKeys:     o.AppKeys,
		idTokens:    o.AllowIDTokens,
		unpermitted: o.AllowWithoutPermissions,
		accepted:    make(map[string]issuers),
		audienceSet: make(map[string]bool),
	}
	s.readTenants(o, &wrong)
	s.readCloud(o, &wrong)
	s.readClient(o, &wrong)
	s.readAudiences(o, &wrong)
	s.readBounds(o, &wrong)
	if o.Authority != "" {
		s.authority = readAuthority(o, &wrong)
	}
	return s, errors.Join(wrong...)
}

func (s *settings) readTenants(o *Options, wrong *mistakes) {
	for i, given := range o.Tenants {
		tenant := strings.ToLower(given)
		if !isGUID(tenant) {
			wrong.add(fmt.Sprintf("Tenants[%d]", i), "%s %s", quote.Text(given), notATenant(tenant))
			continue
		}
		if _, known := s.accepted[tenant]; known {
			continue
		}
		s.accepted[tenant] = clouds[o.Cloud].issuers(tenant)
		if tenant == PersonalAccounts {
			s.personal = true
		} else {
			s.tenants = append(s.tenants, tenant)
		}
	}
	switch {
	case o.AllowAnyTenant && len(s.tenants) > 0:
		wrong.add("Tenants", "names %d tenants although AllowAnyTenant accepts every one; leave one of the two out (PersonalAccounts may stay)", len(s.tenants))
	case o.Authority != "" && len(o.Tenants) > 1:
		wrong.add("Tenants", "names %d directories; an Authority has one", len(o.Tenants))
	case o.Authority != "" && s.personal:
		wrong.add("Tenants", "PersonalAccounts have no Authority; leave one of the two out")
	case len(o.Tenants) == 0 && !o.AllowAnyTenant && o.Authority == "":
		wrong.add("Tenants", "is empty; give the Directory (tenant) ID of each tenant whose tokens are accepted, or set AllowAnyTenant or Authority")
	}
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
	case strings.Contains(tenant, "."):
		return "is a domain name, and those can change hands; give the Directory (tenant) ID, the GUID on the tenant's overview page"
	}
	return "is no GUID; expected the Directory (tenant) ID, such as 72f988bf-86f1-41af-91ab-2d7cd011db47"
}

func (s *settings) readCloud(o *Options, wrong *mistakes) {
	facts, ok := clouds[o.Cloud]
	if !ok {
		wrong.add("Cloud", "%d is no cloud; expected Worldwide, USGovernment or China", int(o.Cloud))
	}
	if ok && o.Cloud != Worldwide && s.personal {
		wrong.add("Tenants", "PersonalAccounts exist in the Worldwide cloud only, not in %s", o.Cloud)
	}
	s.cloud = facts
}

func (s *settings) readClient(o *Options, wrong *mistakes) {
	s.clientID = strings.ToLower(o.ClientID)
	switch {
	case o.ClientID == "":
		s.requireClient(o, wrong)
	case !isGUID(s.clientID):
		wrong.add("ClientID", "%s is no GUID; expected the Application (client) ID of this API", quote.Text(o.ClientID))
	case microsoftAPIs[s.clientID] != "":
		wrong.add("ClientID", "%s is %s, an API of Microsoft's own; expected the Application (client) ID of this API", quote.Text(o.ClientID), microsoftAPIs[s.clientID])
	case slices.Contains(s.tenants, s.clientID):
		wrong.add("ClientID", "is one of Tenants; expected the Application (client) ID of this API, not the Directory (tenant) ID")
	}
	if o.AppKeys && (len(s.tenants) != 1 || s.personal) {
		wrong.add("AppKeys", "needs exactly one tenant in Tenants, a work or school one, found %s: whoever manages an application's keys could otherwise sign for every tenant", s.countTenants())
	}
}

func (s *settings) countTenants() string {
	if s.personal {
		return fmt.Sprintf("%d and PersonalAccounts", len(s.tenants))
	}
	return fmt.Sprint(len(s.tenants))
}

func (s *settings) requireClient(o *Options, wrong *mistakes) {
	needs := map[string]bool{"AllowAnyTenant": o.AllowAnyTenant, "AppKeys": o.AppKeys, "AllowIDTokens": o.AllowIDTokens}
	for _, field := range []string{"AllowAnyTenant", "AppKeys", "AllowIDTokens"} {
		if needs[field] {
			wrong.add("ClientID", "is empty; %s needs the Application (client) ID of this API", field)
		}
	}
	if len(o.Audiences) == 0 {
		wrong.add("ClientID", "and Audiences are empty; a token's audience must be this API: give its Application (client) ID")
	}
}

func (s *settings) readAudiences(o *Options, wrong *mistakes) {
	for i, audience := range o.Audiences {
		if problem := s.audienceProblem(audience); problem != "" {
			wrong.add(fmt.Sprintf("Audiences[%d]", i), "%s %s", quote.Text(audience), problem)
		}
		if lower := strings.ToLower(audience); isGUID(lower) {
			audience = lower
		}
		s.accept(audience)
	}
	if s.clientID != "" {
		s.accept(s.clientID)
		s.accept("api://" + s.clientID)
	}
}

func (s *settings) audienceProblem(audience string) string {
	switch {
	case audience == "":
		return "is empty; expected an Application ID URI such as api://orders"
	case strings.Trim(audience, "/") == "" || strings.HasSuffix(strings.TrimRight(audience, "/"), ":"):
		return "names nothing; expected an Application ID URI such as api://orders"
	case strings.ContainsFunc(audience, isSpaceOrControl):
		return "holds white space; expected an Application ID URI such as api://orders"
	case microsoftAPIs[strings.ToLower(withoutSlash(audience))] != "":
		return "is an API of Microsoft's own; nobody else can verify its tokens: name this API's Application ID URI"
	case s.anyTenant && !s.isUnique(strings.ToLower(audience)):
		return "does not contain the ClientID; such a URI is unique within one tenant only, and AllowAnyTenant accepts all: use api://" + s.clientID + " or an https URI of a verified domain"
	}
	return ""
}

// isUnique reports whether an audience can belong to an application of one tenant only: a client ID can, a URI of a
// verified domain, and an api:// URI that contains the client ID.
//
// Source: https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
func (s *settings) isUnique(audience string) bool {
	switch {
	case isGUID(audience), strings.HasPrefix(audience, "https://"), strings.HasPrefix(audience, "http://"):
		return true
	case s.clientID == "", !strings.HasPrefix(audience, "api://"):
		return false
	}
	return slices.Contains(strings.Split(audience, "/"), s.clientID)
}

func (s *settings) accept(audience string) {
	s.audiences = append(s.audiences, audience)
	s.audienceSet[withoutSlash(audience)] = true
}

func (s *settings) readBounds(o *Options, wrong *mistakes) {
	s.skew = o.ClockSkew
	switch {
	case o.ClockSkew == 0:
		s.skew = defaultClockSkew
	case o.ClockSkew < 0:
		s.skew = 0
	case o.ClockSkew < minClockSkew || o.ClockSkew > maxClockSkew:
		wrong.add("ClockSkew", "%v is not between %v and %v; a time.Duration counts nanoseconds: write 2*time.Minute", o.ClockSkew, minClockSkew, maxClockSkew)
	}
	s.maxTokenSize = o.MaxTokenSize
	switch {
	case o.MaxTokenSize == 0:
		s.maxTokenSize = defaultMaxTokenSize
	case o.MaxTokenSize < 0:
		wrong.add("MaxTokenSize", "%d is negative; expected a number of bytes, 0 for %d", o.MaxTokenSize, defaultMaxTokenSize)
	}
	s.cacheSize = o.CacheSize
	if o.CacheSize == 0 {
		s.cacheSize = defaultCacheSize
	}
}

// signInTenant is what stands for the accepted tenants in the URLs of their cloud: the key document, the sign-in page.
func (s *settings) signInTenant() string {
	switch {
	case s.personal && (s.anyTenant || len(s.tenants) > 0):
		return "common"
	case s.personal:
		return "consumers"
	case len(s.tenants) == 1:
		return s.tenants[0]
	}
	return "organizations"
}

// scopePrefix is what a client puts before the name of a scope to ask for it.
func (s *settings) scopePrefix() string {
	for _, audience := range s.audiences {
		if strings.Contains(audience, "://") {
			return withoutSlash(audience) + "/"
		}
	}
	return ""
}

func withoutSlash(audience string) string { return strings.TrimSuffix(audience, "/") }

// isSpaceOrControl reports whether r is a character that nobody sees.
func isSpaceOrControl(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }

// isGUID reports whether s is a GUID in lower case, as Entra writes them: 8-4-4-4-12 hexadecimal digits.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c < '0' || c > '9' && c < 'a' || c > 'f':
			return false
		}
	}
	return true
}
