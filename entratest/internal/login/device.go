package login

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/jsonobject"
)

// Times of the device authorization grant, as Entra's responses give them.
const (
	deviceLifetime = 15 * time.Minute
	deviceInterval = 5 * time.Second
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

const userCodeField = "user_code" // of the device pages' forms

// deviceRequest is the request of a program that waits for its user.
type deviceRequest struct {
	consent  // the user is zero until one has signed in
	segment  string
	state    deviceState
	expires  time.Time
	lastPoll time.Time
}

type deviceState int

const (
	devicePending deviceState = iota
	deviceGranted
	deviceDeclined
	deviceRedeemed
)

// serveDeviceCode is the device authorization endpoint (RFC 8628 section 3.1); see
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code.
func (s *Service) serveDeviceCode(w http.ResponseWriter, r *http.Request) {
	s.serveForm(w, r, func(segment, tenant string) (jsonobject.Object, *oauthError) {
		return s.newDeviceRequest(r, segment)
	})
}

func (s *Service) newDeviceRequest(r *http.Request, segment string) (jsonobject.Object, *oauthError) {
	client, _, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if r.PostForm.Get("scope") == "" {
		return nil, errMissing("scope")
	}
	scopes := s.parseScopes(r.PostForm.Get("scope"))
	if refused := s.checkScopes(scopes, segment, client.ClientID); refused != nil {
		return nil, refused
	}
	if refused := s.checkResource(r, r.PostForm, scopes); refused != nil {
		return nil, refused
	}
	claims, refused := parseClaims(r.PostForm.Get("claims"))
	if refused != nil {
		return nil, refused
	}
	deviceCode := s.grants.devices.put(deviceRequest{
		consent: consent{client: client.ClientID, scopes: scopes, claims: claims, version: endpointVersion(r)},
		segment: segment,
		expires: s.config.Clock().Add(deviceLifetime),
	})
	userCode := newUserCode()
	s.grants.users.putAs(userCode, deviceCode)
	page := s.baseURL(r) + s.tenant.Path(segment) + "/oauth2/deviceauth"
	response := jsonobject.Object{
		{"user_code", userCode},
		{"device_code", deviceCode},
		{"verification_uri", page},
		{"expires_in", int(deviceLifetime.Seconds())},
		{"interval", int(deviceInterval.Seconds())},
		{"message", "To sign in, use a web browser to open the page " + page + " and enter the code " + userCode + " to authenticate."},
	}
	if endpointVersion(r) == 1 {
		response[2].Name = "verification_url"
		response.Set("expires_in", strconv.Itoa(int(deviceLifetime.Seconds())))
		response.Set("interval", strconv.Itoa(int(deviceInterval.Seconds())))
	}
	return response, nil
}

// newUserCode returns a code without letters and digits that look alike.
func newUserCode() string {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	code := directory.RandomBytes(9)
	for i, b := range code {
		code[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(code)
}

// deviceGrant answers a program that polls (RFC 8628 section 3.4).
func (s *Service) deviceGrant(r *http.Request, tenant string) (jsonobject.Object, *oauthError) {
	client, proof, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	if proof == "0" && client.Confidential() {
		return nil, errNoSecret()
	}
	code := cmp.Or(r.PostForm.Get("device_code"), r.PostForm.Get("code")) // Version 1.0 says code.
	if code == "" {
		return nil, errMissing("device_code")
	}
	now := s.config.Clock()
	request, known := s.grants.devices.swap(code, func(d deviceRequest) deviceRequest {
		if d.client != client.ClientID {
			return d
		}
		d.lastPoll = now
		if d.state == deviceGranted {
			d.state = deviceRedeemed
		}
		return d
	})
	if !known || request.client != client.ClientID {
		return nil, errDevice("bad_verification_code", 70018, "The device code was not recognized.")
	}
	if refused := request.check(now); refused != nil {
		return nil, refused
	}
	if refused := request.atTenant(tenant); refused != nil {
		return nil, refused
	}
	return s.userResponse(r, request.consent, proof, "")
}

func errDevice(code string, number int, text string) *oauthError {
	return refusal(http.StatusBadRequest, code, number, "%s", text)
}

// check returns the answer to a program that polls now, or nil if its user signed
// in. Entra says authorization_declined where RFC 8628 section 3.5 says
// access_denied. Microsoft's page does not mention slow_down, which the RFC has.
func (d deviceRequest) check(now time.Time) *oauthError {
	const leeway = time.Second // for what a request takes on its way
	switch {
	case d.state == deviceRedeemed:
		return errGrant(54005, "OAuth2 device code was already redeemed, please retry with a new valid code.")
	case d.state == deviceDeclined:
		return errDevice("authorization_declined", 65004, "User declined to consent to access the app.")
	case !now.Before(d.expires):
		return errDevice("expired_token", 70020,
			"The provided value for the input parameter 'device_code' is not valid. This device code has expired.")
	case d.state == deviceGranted:
		return nil
	case !d.lastPoll.IsZero() && now.Sub(d.lastPoll) < deviceInterval-leeway:
		return errDevice("slow_down", 70016, fmt.Sprintf(
			"OAuth 2.0 device flow error. Authorization is pending. Poll every %d seconds, and from now on five seconds later.",
			int(deviceInterval.Seconds())))
	}
	return errDevice("authorization_pending", 70016,
		"OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
}

// serveDevicePage is where the user enters the code and signs in.
func (s *Service) serveDevicePage(w http.ResponseWriter, r *http.Request) {
	if !s.parseForm(w, r) {
		return
	}
	segment, _, ok := s.segment(r)
	if !ok {
		s.errorPage(w, r, errUnknownTenant(segment, "invalid_request"))
		return
	}
	userCode := normalUserCode(r.Form.Get(userCodeField))
	deviceCode, known := s.grants.users.get(userCode)
	request, _ := s.grants.devices.get(deviceCode)
	// A link may fill in the code, but the user must submit it and see which application
	// asks before anybody is signed in (RFC 8628 section 5.4).
	if r.Method != http.MethodPost || !known || request.state != devicePending || !s.config.Clock().Before(request.expires) {
		p := page{Code: r.Form.Get(userCodeField)}
		if r.Method == http.MethodPost {
			p.Unknown = p.Code
		}
		s.page(w, http.StatusOK, "device_code", p)
		return
	}
	app, _ := s.tenant.App(request.client)
	candidates := s.tenant.Candidates(request.segment)
	picked := r.PostForm.Get(accountField)
	user, found := find(candidates, picked)
	switch {
	case picked == "cancel":
		s.settle(deviceCode, deviceDeclined, user)
		s.message(w, "You declined the sign-in", app.Name+" gets no tokens. You can close this window.")
	case found:
		s.settle(deviceCode, deviceGranted, user)
		s.message(w, "You have signed in", app.Name+" on your device has your tokens. You can close this window.")
	default:
		s.accountPage(w, app, candidates, url.Values{userCodeField: {userCode}}, picked)
	}
}

// settle records the user's decision, unless one was recorded before.
func (s *Service) settle(deviceCode string, state deviceState, user directory.User) {
	s.grants.devices.swap(deviceCode, func(d deviceRequest) deviceRequest {
		if d.state == devicePending {
			d.state, d.user, d.tenant = state, user, user.TenantID
		}
		return d
	})
}

// normalUserCode reads a code as people type it.
func normalUserCode(text string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
}
