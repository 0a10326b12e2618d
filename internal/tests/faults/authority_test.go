package faults_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// twoDocuments is the network of a Verifier with AppKeys. Each document has a fault of its own; nil is none.
type twoDocuments struct {
	mu                       sync.Mutex
	general, own             func(*http.Request) (*http.Response, error)
	generalCount, ownFetches int
}

// fail sets both faults.
func (f *twoDocuments) fail(general, own func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.general, f.own = general, own
}

// fault counts a request and returns the fault that answers it, if any.
func (f *twoDocuments) fault(r *http.Request) func(*http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.RawQuery != "" {
		f.ownFetches++
		return f.own
	}
	f.generalCount++
	return f.general
}

// counts returns how often each document was asked for.
func (f *twoDocuments) counts() (general, own int) {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.generalCount, f.ownFetches
}

func (f *twoDocuments) bubble(t *testing.T, run func(t *testing.T, tenant *entratest.Server, v *entra.Verifier, general, own func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tenant := entratest.New(t, entratest.Config{Apps: []entratest.AppRegistration{
			{ClientID: entratest.APIClientID, Scopes: []string{entratest.ScopeRead}, OwnKey: true},
			{ClientID: entratest.ClientID},
		}})
		inner := tenant.Transport()
		v := testbed.NewVerifier(t, tenant, func(o *entra.Options) {
			o.AppKeys = true
			o.HTTPClient = testbed.Client(func(r *http.Request) (*http.Response, error) {
				if fault := f.fault(r); fault != nil {
					return fault(r)
				}
				return inner.RoundTrip(r)
			})
		})
		general := func() string { return tenant.Token(entratest.SignedBy(tenant.Key())) }
		own := func() string { return tenant.Token() }
		run(t, tenant, v, general, own)
		time.Sleep(11 * time.Second)
	})
}

func refuse(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// ignoreContext does not end with the context of the request.
func ignoreContext(*http.Request) (*http.Response, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("stuck")
}

func noKeys(r *http.Request) (*http.Response, error) {
	return testbed.Response(r, http.StatusOK, `{"keys":[]}`), nil
}

func TestTwoDocumentsKeepTroublesOfTheirOwn(t *testing.T) {
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"refuses": refuse, "hangs": hang, "is empty": noKeys,
	} {
		t.Run("the general document "+name+" from the start", func(t *testing.T) {
			network := &twoDocuments{general: fault}
			network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
				if _, err := v.Verify(t.Context(), own()); err != nil {
					t.Errorf("got %v, want no error", err)
				}
				_, err := v.Verify(t.Context(), general())
				if got := outcome(err); got != "unknown_key" {
					t.Errorf("got %s (%v), want unknown_key", got, err)
				}
				network.fail(nil, nil)
				time.Sleep(time.Minute)
				expect(t, v, general(), accepted)
			})
		})
		t.Run("the own document "+name+" from the start", func(t *testing.T) {
			network := &twoDocuments{own: fault}
			network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
				expect(t, v, general(), accepted)
				_, err := v.Verify(t.Context(), own())
				if got := outcome(err); got != "unknown_key" {
					t.Errorf("got %s (%v), want unknown_key", got, err)
				}
				network.fail(nil, nil)
				time.Sleep(time.Minute)
				expect(t, v, own(), accepted)
			})
		})
		t.Run("the general document "+name+" for 30 hours", func(t *testing.T) {
			network := new(twoDocuments)
			network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
				expect(t, v, general(), accepted)
				expect(t, v, own(), accepted)
				network.fail(fault, nil)
				for range 23 {
					time.Sleep(time.Hour)
					expect(t, v, own(), accepted)
					expect(t, v, general(), accepted)
				}
				time.Sleep(2 * time.Hour)
				expect(t, v, own(), accepted)
				time.Sleep(5 * time.Hour)
				expect(t, v, own(), accepted)
				_, err := v.Verify(t.Context(), general())
				if got := outcome(err); got != "unknown_key" {
					t.Errorf("got %s (%v), want unknown_key", got, err)
				}
			})
		})
	}
}

func TestTwoDocumentsKeepAgesOfTheirOwn(t *testing.T) {
	network := new(twoDocuments)
	network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
		counts := func(wantGeneral, wantOwn int) {
			t.Helper()
			if gotGeneral, gotOwn := network.counts(); gotGeneral != wantGeneral || gotOwn != wantOwn {
				t.Errorf("got %d and %d fetches, want %d of the general document and %d of the own", gotGeneral, gotOwn, wantGeneral, wantOwn)
			}
		}
		expect(t, v, own(), accepted)
		counts(1, 1)
		time.Sleep(61 * time.Minute)
		expect(t, v, own(), accepted)
		counts(1, 2) // Each document is refreshed by a use of its own keys.
		time.Sleep(30 * time.Minute)
		expect(t, v, general(), accepted)
		counts(2, 2)
		time.Sleep(31 * time.Minute)
		expect(t, v, general(), accepted)
		expect(t, v, own(), accepted)
		counts(2, 3)
	})
}

func TestAFloodWithTwoDocuments(t *testing.T) {
	network := new(twoDocuments)
	network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
		expect(t, v, general(), accepted)
		expect(t, v, own(), accepted)
		generalBefore, ownBefore := network.counts()
		every(time.Second, 58*time.Minute, func() { expect(t, v, junkToken(), "unknown_key") })
		gotGeneral, gotOwn := network.counts()
		gotGeneral, gotOwn = gotGeneral-generalBefore, gotOwn-ownBefore
		if want := len(floodSchedule); gotGeneral > want || gotOwn > want {
			t.Errorf("got %d and %d fetches in an hour, want %d of each at most", gotGeneral, gotOwn, want)
		}
	})
}

func TestTheOwnKeyDoesNotWaitForTheGeneralDocument(t *testing.T) {
	network := &twoDocuments{general: hang}
	network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
		expect(t, v, own(), accepted)
	})
}

// Both documents are fetched at once, so a request waits for both no longer than for one.
func TestAnUnknownKeyWaitsTenSecondsForTwoDocuments(t *testing.T) {
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){"hang": hang, "are stuck": ignoreContext} {
		t.Run("both "+name, func(t *testing.T) {
			network := &twoDocuments{general: fault, own: fault}
			network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
				expectAfter(t, v, own(), "keys_unavailable", 10*time.Second)
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestReadyWithTwoDocuments(t *testing.T) {
	for name, network := range map[string]*twoDocuments{
		"both answer":                {},
		"the general document hangs": {general: hang},
		"the own document hangs":     {own: hang},
		"the general document fails": {general: refuse},
	} {
		t.Run(name, func(t *testing.T) {
			network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
				start := time.Now()
				if err := v.Ready(t.Context()); err != nil || time.Since(start) != 0 {
					t.Errorf("got %v after %v, want nil at once: there are keys", err, time.Since(start))
				}
			})
		})
	}
}

func TestAFloodWhileTheOwnDocumentFails(t *testing.T) {
	network := &twoDocuments{own: refuse}
	network.bubble(t, func(t *testing.T, _ *entratest.Server, v *entra.Verifier, general, own func() string) {
		expect(t, v, general(), accepted)
		every(time.Second, time.Hour, func() { expect(t, v, junkToken(), "unknown_key") })
		if _, got := network.counts(); got > 65 {
			t.Errorf("got %d fetches in an hour of flood, want one a minute or fewer: keys are held", got)
		}
	})
}

// faultyAuthority answers for an External ID authority: metadata and keys, each with a fault of its own or nil.
type faultyAuthority struct {
	publisher *testbed.Publisher

	mu             sync.Mutex
	metadata, keys func(*http.Request) (*http.Response, error)
}

func (a *faultyAuthority) fail(metadata, keys func(*http.Request) (*http.Response, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.metadata, a.keys = metadata, keys
}

func (a *faultyAuthority) answer(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	fault := a.keys
	if strings.HasSuffix(r.URL.Path, testbed.MetadataPath) {
		fault = a.metadata
	}
	a.mu.Unlock()
	if fault != nil {
		return fault(r)
	}
	return a.publisher.RoundTrip(r)
}

func answerText(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) { return testbed.Response(r, status, body), nil }
}

// Metadata and keys of an authority succeed or fail together.
func TestAFaultOfAnAuthorityDropsNothing(t *testing.T) {
	good := testbed.MetadataDocument(testbed.ExternalIDIssuer, testbed.ExternalIDKeys)
	bad := map[string]func(*http.Request) (*http.Response, error){
		"refuses": refuse, "hangs": hang, "answers 404": answerText(404, good), "answers 500": answerText(500, good),
		"answers 304": answerText(304, ""), "is empty": answerText(200, ""), "is HTML": answerText(200, "<html>"), "is {}": answerText(200, "{}"),
		"is null": answerText(200, "null"), "is an array": answerText(200, "["+good+"]"), "has a byte order mark": answerText(200, "\ufeff"+good),
		"is cut in half": answerText(200, good[:len(good)/2]), "has text behind it": answerText(200, good+"x"),
		"is too large": answerText(200, good+strings.Repeat(" ", 1<<20)), "is invalid UTF-8": answerText(200, "{\"x\":\"\xff\","+good[1:]),
	}
	ofMetadata := map[string]func(*http.Request) (*http.Response, error){
		"names issuers twice":        answerText(200, `{"issuer":"https://evil.example",`+good[1:]),
		"names places of keys twice": answerText(200, `{"jwks_uri":"`+testbed.ExternalIDKeys+`",`+good[1:]),
		"repeats another name":       answerText(200, `{"x":1,"x":2,`+good[1:]),
		"has issuer null":            answerText(200, `{"issuer":null,"jwks_uri":"`+testbed.ExternalIDKeys+`"}`),
		"has an issuer array":        answerText(200, `{"issuer":["`+testbed.ExternalIDIssuer+`"],"jwks_uri":"`+testbed.ExternalIDKeys+`"}`),
		"has keys in an array":       answerText(200, `{"issuer":"`+testbed.ExternalIDIssuer+`","jwks_uri":["`+testbed.ExternalIDKeys+`"]}`),
		"names keys elsewhere":       answerText(200, testbed.MetadataDocument(testbed.ExternalIDIssuer, "https://evil.example/keys")),
		"has a template as issuer":   answerText(200, testbed.MetadataDocument("https://login.microsoftonline.com/{tenantid}/v2.0", testbed.ExternalIDKeys)),
		"is under other names":       answerText(200, `{"Issuer":"`+testbed.ExternalIDIssuer+`","JWKS_URI":"`+testbed.ExternalIDKeys+`"}`),
	}
	for name, fault := range bad {
		testFault(t, "the metadata "+name, fault, nil)
		testFault(t, "the key document "+name, nil, fault)
	}
	for name, fault := range ofMetadata {
		testFault(t, "the metadata "+name, fault, nil)
	}
}

func testFault(t *testing.T, name string, metadata, keys func(*http.Request) (*http.Response, error)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := entratest.New(t).Key()
			p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, testbed.ExternalIDIssuer, k)}
			authority := &faultyAuthority{publisher: p}
			v, err := entra.NewVerifier(entra.Options{
				Authority: testbed.ExternalID, ClientID: entratest.APIClientID, Logger: testbed.Discard(), HTTPClient: testbed.Client(authority.answer),
			})
			if err != nil {
				t.Fatal(err)
			}
			token := func() string {
				return testbed.SignClaims(k, testbed.UserClaims(testbed.ExternalIDIssuer, entratest.TenantID, "2.0"))
			}
			authority.fail(metadata, keys)
			if _, err := v.Verify(t.Context(), token()); outcome(err) != "keys_unavailable" {
				t.Errorf("from the start: got %s (%v), want keys_unavailable", outcome(err), err)
			}
			authority.fail(nil, nil)
			time.Sleep(10 * time.Second)
			expect(t, v, token(), accepted)
			authority.fail(metadata, keys)
			for range 20 {
				time.Sleep(time.Hour)
				expect(t, v, token(), accepted)
			}
			time.Sleep(5 * time.Hour)
			if _, err := v.Verify(t.Context(), token()); outcome(err) != "keys_unavailable" {
				t.Errorf("after 25 hours: got %s (%v), want keys_unavailable", outcome(err), err)
			}
			authority.fail(nil, nil)
			time.Sleep(10 * time.Second)
			expect(t, v, token(), accepted)
			for _, url := range p.Requests() {
				if url != testbed.ExternalID+testbed.MetadataPath && url != testbed.ExternalIDKeys {
					t.Errorf("got a request for %s, want none", url)
				}
			}
		})
	})
}

// An authority may go by another issuer one day. Tokens of the former one, remembered or not, are then nobody's, although their
// key is held unchanged.
func TestAnAuthorityThatChangesItsIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const former, later = testbed.ExternalIDIssuer, testbed.ExternalID
		k := entratest.New(t).Key()
		p := &testbed.Publisher{Documents: testbed.AuthorityDocuments(testbed.ExternalID, former, k)}
		v := testbed.NewVerifierAt(t, p, entra.Options{Authority: testbed.ExternalID})
		tokenOf := func(issuer string) string {
			claims := testbed.UserClaims(issuer, entratest.TenantID, "2.0")
			claims["exp"] = time.Now().Add(5 * time.Hour).Unix()
			return testbed.SignClaims(k, claims)
		}
		old := tokenOf(former)
		for range 3 {
			expect(t, v, old, accepted)
		}
		if got := v.Stats().Remembered; got != 2 {
			t.Fatalf("got %d tokens from memory, want 2", got)
		}
		for url, text := range testbed.AuthorityDocuments(testbed.ExternalID, later, k) {
			p.Publish(url, text)
		}
		time.Sleep(time.Hour)
		expect(t, v, old, accepted) // it starts the refresh
		expect(t, v, old, "issuer")
		expect(t, v, tokenOf(former), "issuer")
		expect(t, v, tokenOf(later), accepted)
		time.Sleep(11 * time.Second)
	})
}
