package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/entra-go/entra"
)

const doctorHelp = `Usage: entra doctor -tenant <ID or domain name> [-client <ID>] [flags]

Says what stands between this machine and Entra. It finds the tenant and its cloud, fetches the keys as package entra does,
and looks at name resolution, proxy, TLS and the clock. At the end it prints the entra.Options to paste.

It asks Entra alone, for documents that everybody may read. The exit status is 0 if all is well, 1 if something is wrong,
2 for wrong usage.

Examples:
  entra doctor -tenant contoso.com -client 6e74172b-be56-4843-9ff4-e66a39bb12e3
  entra doctor -tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 -cloud USGovernment
  entra doctor -authority https://contoso.ciamlogin.com/<tenant ID>/v2.0 -client …
  HTTPS_PROXY=http://proxy.example:3128 SSL_CERT_FILE=/etc/ssl/company.pem entra doctor -tenant contoso.com
`

func doctor(ctx context.Context, args []string, s surroundings) (int, error) {
	var tenant, client, authority string
	var cloud cloudFlag
	set := newFlags("doctor", doctorHelp, s.stdout)
	set.StringVar(&tenant, "tenant", "", "directory (tenant) `ID`, or a domain name of the tenant ($ENTRA_TENANT_ID)")
	set.StringVar(&client, "client", "", "application (client) `ID` of the API ($ENTRA_CLIENT_ID)")
	set.StringVar(&authority, "authority", "", "`URL` of an External ID, B2C or custom-domain authority ($ENTRA_AUTHORITY)")
	set.Var(&cloud, "cloud", "ask this cloud alone: Worldwide, USGovernment or China ($ENTRA_CLOUD)")
	err := set.parse(args, "it takes flags alone; give the tenant as -tenant")
	if err == nil {
		err = readEnvironment(set.FlagSet, s.env)
	}
	if err != nil {
		return misuse, err
	}
	cloudGiven := false
	set.Visit(func(f *flag.Flag) { cloudGiven = cloudGiven || f.Name == "cloud" })

	e := &examination{out: s.stdout, probe: newProbe(s)}
	options := entra.Options{ClientID: client, Authority: authority, Cloud: entra.Cloud(cloud)}
	switch {
	case tenant == "" && authority == "":
		return misuse, errors.New("give -tenant, an ID or a domain name, or -authority")
	case tenant != "" && authority == "" && !isTenantName(tenant):
		return misuse, fmt.Errorf("-tenant %q is neither a directory (tenant) ID nor a domain name", tenant)
	}
	if tenant != "" && (authority != "" || guid.MatchString(tenant)) {
		options.Tenants = []string{tenant}
	}
	if tenant == "" || len(options.Tenants) > 0 {
		// Mistakes in the options show before anything is fetched.
		if _, err := entra.NewVerifier(complete(options)); err != nil {
			return misuse, err
		}
	}
	hosts := loginHosts
	if cloudGiven {
		hosts = loginHosts[cloud : cloud+1]
	}
	e.examineProxy(s, cmp.Or(hostOf(authority), hosts[0].host))
	if authority == "" {
		if !e.findTenant(ctx, tenant, hosts, &options) {
			return bad, nil
		}
	}
	e.fetchKeys(ctx, options)
	e.examineExchanges()
	if ctx.Err() != nil {
		return bad, nil
	}
	if e.fetched && client != "" && authority == "" {
		e.examineOwnKeys(ctx, &options)
	}
	if e.fetched {
		e.printOptions(options, tenant)
	}
	if e.ill {
		return bad, nil
	}
	return good, nil
}

// complete returns options that package entra accepts even before it is known which API they are for.
func complete(options entra.Options) entra.Options {
	if options.ClientID == "" {
		options.Audiences = []string{"api://not-known-yet"}
	}
	options.Logger = slog.New(slog.DiscardHandler)
	return options
}

var (
	guid   = regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	inPath = regexp.MustCompile(`/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/`)
	domain = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
)

func isTenantName(tenant string) bool {
	return guid.MatchString(tenant) || len(tenant) <= 253 && domain.MatchString(tenant)
}

const metadataPath = "/.well-known/openid-configuration"

// loginHost is where a cloud signs users in, and how the metadata of its tenants names it.
//
// Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
type loginHost struct {
	cloud    entra.Cloud
	host     string
	instance string
}

// loginHosts are in the order of entra's clouds.
var loginHosts = []loginHost{
	{entra.Worldwide, "login.microsoftonline.com", "microsoftonline.com"},
	{entra.USGovernment, "login.microsoftonline.us", "microsoftonline.us"},
	{entra.China, "login.partner.microsoftonline.cn", "partner.microsoftonline.cn"},
}

// examination is one run of the doctor.
type examination struct {
	out     io.Writer
	probe   *probe
	ill     bool
	fetched bool
	proxy   *url.URL
}

const (
	well  = "ok"
	note  = "note"
	wrong = "WRONG"
)

func (e *examination) say(state, subject, format string, args ...any) {
	e.ill = e.ill || state == wrong
	fmt.Fprintln(e.out, wrap(fmt.Sprintf("%-5s  %-7s  ", state, subject), strings.Repeat(" ", 16), fmt.Sprintf(format, args...)))
}

// hostOf returns the host of an authority, "" if there is none.
func hostOf(authority string) string {
	u, err := url.Parse(authority)
	if err != nil {
		return ""
	}
	return u.Host
}

// examineProxy finds the proxy to host: NO_PROXY may exclude one and not another.
func (e *examination) examineProxy(s surroundings, host string) {
	request := &http.Request{URL: &url.URL{Scheme: "https", Host: host}}
	proxyOf := s.proxy
	if proxyOf == nil {
		proxyOf = http.ProxyFromEnvironment
	}
	proxy, err := proxyOf(request)
	switch {
	case err != nil:
		e.say(wrong, "proxy", "the environment's proxy cannot be used (HTTPS_PROXY): it is no URL")
	case proxy == nil:
		e.say(well, "proxy", "none (HTTPS_PROXY is not set or is no URL, or NO_PROXY excludes %s)", host)
	// A # or / in a password ends the URL's host before its time, or makes net/http put http:// before the whole. What is then
	// the host may be a part of the password.
	case strings.HasSuffix(proxy.Host, ":") || strings.Contains(proxy.Path+proxy.RawQuery+proxy.Fragment, "@"):
		e.say(wrong, "proxy", "HTTPS_PROXY is no URL of a proxy; write special characters of user and password as %%XX, such as %%23 for #")
	default:
		e.proxy = proxy
		e.say(well, "proxy", "%s://%s, from HTTPS_PROXY", proxy.Scheme, proxy.Host)
	}
}

// metadata are the members of a tenant's metadata that say where it lives.
type metadata struct {
	Issuer   string `json:"issuer"`
	Region   string `json:"tenant_region_scope"`
	SubScope string `json:"tenant_region_sub_scope"`
	Instance string `json:"cloud_instance_name"`
}

// findTenant asks the clouds for the tenant, and completes the options by what it finds. It returns false if it does not
// find it.
func (e *examination) findTenant(ctx context.Context, tenant string, hosts []loginHost, options *entra.Options) bool {
	var found metadata
	var at loginHost
	for _, at = range hosts {
		exchange := e.probe.get(ctx, "https://"+at.host+"/"+tenant+"/v2.0"+metadataPath)
		if exchange.noSuchTenant() {
			continue
		}
		if problem := e.problem(exchange); problem != "" {
			e.say(wrong, "tenant", "%s", problem)
			return false
		}
		if json.Unmarshal(exchange.body, &found) == nil {
			break
		}
		e.say(wrong, "tenant", "%s", notEntra(exchange))
		return false
	}
	id := inPath.FindStringSubmatch(strings.ToLower(found.Issuer))
	if id == nil {
		e.say(wrong, "tenant", "no cloud that was asked (%s) knows a tenant %s: check the spelling; the tenants of External ID and B2C need -authority", hostsOf(hosts), tenant)
		return false
	}
	// A cloud answers for tenants of some others, too; their own host is then the one that signs their users in.
	for _, other := range loginHosts {
		if found.Instance == other.instance {
			at = other
		}
	}
	options.Tenants, options.Cloud = []string{id[1]}, at.cloud
	name := tenant
	if guid.MatchString(tenant) {
		name = "the tenant"
	}
	e.say(well, "tenant", "%s is %s in the cloud %s%s", name, id[1], at.cloud, regionOf(found))
	if found.Instance != "" && found.Instance != at.instance {
		e.say(wrong, "tenant", "it lives in %s, a cloud that entra.Options.Cloud does not name; try -authority https://<its login host>/%s/v2.0", printable(found.Instance, longestName), id[1])
	}
	return true
}

func hostsOf(hosts []loginHost) string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.cloud.String())
	}
	return strings.Join(names, ", ")
}

// regionOf explains what metadata say of the region. These members are not documented; they only inform here.
func regionOf(m metadata) string {
	names := map[string]string{"GCC": "GCC", "DODCON": "GCC High", "DOD": "DoD"}
	switch {
	case names[m.SubScope] != "":
		return ", " + names[m.SubScope]
	case m.Region != "":
		return ", region " + printable(m.Region, longestName)
	}
	return ""
}

// fetchKeys lets package entra itself fetch the keys.
func (e *examination) fetchKeys(ctx context.Context, options entra.Options) {
	complete := complete(options)
	complete.HTTPClient = &http.Client{Transport: e.probe}
	verifier, err := entra.NewVerifier(complete)
	if err != nil {
		e.say(wrong, "options", "%v", err)
		return
	}
	before := len(e.probe.all())
	if err := verifier.Ready(ctx); err != nil {
		problem := err.Error()
		for _, exchange := range e.probe.all()[before:] {
			if found := e.problem(exchange); found != "" {
				problem = found
			}
		}
		e.say(wrong, "keys", "%s", problem)
		return
	}
	e.fetched = true
	for _, exchange := range e.probe.all()[before:] {
		var found metadata
		if strings.HasSuffix(exchange.url.Path, metadataPath) && json.Unmarshal(exchange.body, &found) == nil {
			e.say(well, "issuer", "%s, by the metadata of the authority", printable(found.Issuer, longestValue))
			continue
		}
		e.say(well, "keys", "%d, from %s", verifier.Stats().Keys, exchange.url)
	}
}

// examineExchanges looks at what answers tell beside their documents: clock and certificates.
func (e *examination) examineExchanges() {
	var closest *exchange
	issuers := make(map[string]bool)
	for _, x := range e.probe.all() {
		if x.certificate != nil {
			issuer := x.certificate.Issuer.String()
			if !issuers[issuer] {
				issuers[issuer] = true
				e.examineIssuer(x)
			}
		}
		if !x.date.IsZero() && (closest == nil || x.end.Sub(x.begin) < closest.end.Sub(closest.begin)) {
			closest = x
		}
	}
	if closest != nil {
		e.examineClock(closest)
	}
}

// examineIssuer says who vouches for a host. A certificate that was accepted may still be that of a proxy that reads
// along, and a program elsewhere, such as in a container, may not trust it.
func (e *examination) examineIssuer(x *exchange) {
	issuer := x.certificate.Issuer
	name := printable(issuer.String(), longestValue)
	// Source: https://learn.microsoft.com/azure/security/fundamentals/azure-ca-details
	byMicrosoftsAuthorities := slices.ContainsFunc(issuer.Organization, func(o string) bool {
		return strings.HasPrefix(o, "DigiCert") || strings.HasPrefix(o, "Microsoft")
	})
	if byMicrosoftsAuthorities || !isMicrosofts(x.url.Hostname()) {
		e.say(well, "TLS", "the certificate of %s is issued by %s", x.url.Hostname(), name)
		return
	}
	e.say(note, "TLS", "the certificate of %s is issued by %s, not by an authority that Microsoft uses: a proxy reads the traffic. This machine trusts it; containers and other machines need its certificate too (SSL_CERT_FILE)", x.url.Hostname(), name)
}

func isMicrosofts(host string) bool {
	return slices.ContainsFunc(loginHosts, func(h loginHost) bool { return h.host == host })
}

const (
	clockNote  = 10 * time.Second
	clockWrong = time.Minute // the default Options.ClockSkew
)

// examineClock compares the clocks. The Date of an answer counts whole seconds, and is of some moment of the exchange.
func (e *examination) examineClock(x *exchange) {
	var off time.Duration
	switch {
	case x.date.Add(time.Second).Before(x.begin):
		off = x.begin.Sub(x.date.Add(time.Second))
	case x.date.After(x.end):
		off = x.end.Sub(x.date)
	}
	direction := "ahead of"
	if off < 0 {
		direction = "behind"
	}
	away := off.Abs().Round(time.Second)
	switch {
	case away >= clockWrong:
		e.say(wrong, "clock", "this machine's clock is %v %s that of %s: good tokens are refused as expired or not yet valid; set it, and let NTP keep it", away, direction, x.url.Hostname())
	case away >= clockNote:
		e.say(note, "clock", "this machine's clock is %v %s that of %s; package entra allows 1m0s", away, direction, x.url.Hostname())
	default:
		e.say(well, "clock", "agrees with that of %s", x.url.Hostname())
	}
}

// examineOwnKeys finds out whether the application has signing keys of its own, which claims mapping gives it.
//
// Source: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature
func (e *examination) examineOwnKeys(ctx context.Context, options *entra.Options) {
	var general, own []string
	for _, x := range e.probe.all() {
		if strings.HasSuffix(x.url.Path, "/discovery/v2.0/keys") && x.url.RawQuery == "" {
			general = keyIDs(x.body)
			address := *x.url
			address.RawQuery = "appid=" + strings.ToLower(options.ClientID)
			exchange := e.probe.get(ctx, address.String())
			if problem := e.problem(exchange); problem != "" {
				e.say(note, "app", "whether the application has signing keys of its own is not known: %s", problem)
				return
			}
			own = keyIDs(exchange.body)
		}
	}
	count := 0
	for _, kid := range own {
		if !slices.Contains(general, kid) {
			count++
		}
	}
	if count == 0 {
		e.say(well, "app", "the application has no signing keys of its own")
		return
	}
	options.AppKeys = true
	e.say(note, "app", "the application has %d signing keys of its own, by claims mapping: AppKeys is needed", count)
}

func keyIDs(document []byte) (ids []string) {
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	_ = json.Unmarshal(document, &set) // no keys
	for _, key := range set.Keys {
		ids = append(ids, key.ID)
	}
	return ids
}

// printOptions prints what to paste.
func (e *examination) printOptions(options entra.Options, tenant string) {
	client := options.ClientID
	if client == "" {
		client = "<Application (client) ID of the API>"
	}
	fields := [][3]string{}
	if len(options.Tenants) > 0 {
		comment := "Directory (tenant) ID"
		if !guid.MatchString(tenant) {
			comment += " of " + tenant
		}
		fields = append(fields, [3]string{"Tenants", fmt.Sprintf("[]string{%q}", strings.ToLower(options.Tenants[0])), comment})
	}
	fields = append(fields, [3]string{"ClientID", fmt.Sprintf("%q", client), "Application (client) ID of the API"})
	if options.Authority != "" {
		fields = append(fields, [3]string{"Authority", fmt.Sprintf("%q", options.Authority), ""})
	}
	if options.Cloud != entra.Worldwide {
		fields = append(fields, [3]string{"Cloud", "entra." + options.Cloud.String(), ""})
	}
	if options.AppKeys {
		fields = append(fields, [3]string{"AppKeys", "true", "the application has signing keys of its own"})
	}
	fmt.Fprint(e.out, "\nPaste this:\n\n\tverifier, err := entra.NewVerifier(entra.Options{\n")
	nameWidth, valueWidth := 0, 0
	for _, f := range fields {
		nameWidth = max(nameWidth, len(f[0]))
		if f[2] != "" {
			valueWidth = max(valueWidth, len(f[1]))
		}
	}
	for _, f := range fields {
		line := fmt.Sprintf("\t\t%-*s %s,", nameWidth+1, f[0]+":", f[1])
		if f[2] != "" {
			line += strings.Repeat(" ", valueWidth-len(f[1])) + " // " + f[2]
		}
		fmt.Fprintln(e.out, line)
	}
	fmt.Fprint(e.out, "\t})\n")
}
