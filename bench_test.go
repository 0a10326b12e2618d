package entra_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/tests/testbed"
)

// mintToken returns a token of a user with one app role and one group: about 1.4 KB. No two are the same, because Entra
// puts random identifiers into each.
func mintToken(tenant *entratest.Server, options ...entratest.TokenOption) string {
	return tenant.Token(append([]entratest.TokenOption{
		entratest.Scopes(entratest.ScopeRead, entratest.ScopeWrite),
		entratest.Roles(entratest.RoleAdmin),
		entratest.Groups("f1f1f1f1-f1f1-4f1f-8f1f-f1f1f1f1f1f1"),
	}, options...)...)
}

// mintTokens returns count tokens, minted on all cores.
func mintTokens(tenant *entratest.Server, count int) []string {
	const workers = 8
	tokens := make([]string, count)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < count; i += workers {
				tokens[i] = mintToken(tenant)
			}
		})
	}
	wait.Wait()
	return tokens
}

// readyVerifier returns a Verifier that holds the keys of tenant.
func readyVerifier(tb testing.TB, tenant *entratest.Server, cacheSize int) *entra.Verifier {
	tb.Helper()
	verifier, err := entra.NewVerifier(entra.Options{
		Tenants:    []string{entratest.TenantID},
		ClientID:   entratest.APIClientID,
		CacheSize:  cacheSize,
		HTTPClient: tenant.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := verifier.Ready(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return verifier
}

// serialAndParallel measures work in one goroutine, and in as many as -cpu says.
func serialAndParallel(b *testing.B, work func() error) {
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := work(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := work(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkBare is the lower limit: what crypto/rsa and SHA-256 need for the token that the others verify.
func BenchmarkBare(b *testing.B) {
	tenant := entratest.New(b)
	token := mintToken(tenant)
	dot := strings.LastIndexByte(token, '.')
	signed := []byte(token[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	public := tenant.Key().PublicKey()
	serialAndParallel(b, func() error {
		digest := sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	})
}

// measureVerify measures Verify of a token that was verified before.
func measureVerify(b *testing.B, verifier *entra.Verifier, token string) {
	ctx := b.Context()
	testbed.MustVerify(b, verifier, token)
	serialAndParallel(b, func() error {
		_, err := verifier.Verify(ctx, token)
		return err
	})
}

// BenchmarkCold verifies without a memory.
func BenchmarkCold(b *testing.B) {
	tenant := entratest.New(b)
	measureVerify(b, readyVerifier(b, tenant, -1), mintToken(tenant))
}

// BenchmarkColdRemembering verifies tokens that the memory does not hold and takes in, at the cost of others.
func BenchmarkColdRemembering(b *testing.B) {
	const held, distinct = 8, 800
	tenant := entratest.New(b)
	verifier := readyVerifier(b, tenant, held)
	tokens := mintTokens(tenant, distinct)
	ctx, next := b.Context(), 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, err := verifier.Verify(ctx, tokens[next]); err != nil {
			b.Fatal(err)
		}
		next = (next + 1) % distinct
	}
	stats := verifier.Stats()
	b.ReportMetric(float64(stats.Remembered)/float64(stats.Verified), "hits/op")
}

// BenchmarkWarm verifies a token that is remembered.
func BenchmarkWarm(b *testing.B) {
	tenant := entratest.New(b)
	measureVerify(b, readyVerifier(b, tenant, 0), mintToken(tenant))
}

// BenchmarkWarmMany is BenchmarkWarm with as many remembered tokens as the memory holds by default: more than a
// processor keeps close.
func BenchmarkWarmMany(b *testing.B) {
	const held = 4096
	tenant := entratest.New(b)
	verifier := readyVerifier(b, tenant, held)
	tokens := mintTokens(tenant, held)
	for _, token := range tokens {
		testbed.MustVerify(b, verifier, token)
	}
	ctx, next := b.Context(), 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, err := verifier.Verify(ctx, tokens[next]); err != nil {
			b.Fatal(err)
		}
		next = (next + 1) % held
	}
}

// BenchmarkCombined is BenchmarkCold, BenchmarkColdRemembering and BenchmarkWarm with another authority before the one that
// a token belongs to, which holds keys and remembers a token too.
func BenchmarkCombined(b *testing.B) {
	const distinct = 800
	tenant := entratest.New(b)
	other, err := entra.NewVerifier(entra.Options{Authority: testbed.ExternalID, ClientID: entratest.APIClientID, HTTPClient: customers(b).Client()})
	if err != nil {
		b.Fatal(err)
	}
	if err := other.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	tokens := mintTokens(tenant, distinct)
	for _, path := range []struct {
		name              string
		cacheSize, tokens int
	}{{"cold", -1, 1}, {"cold remembering", 8, distinct}, {"warm", 0, 1}} {
		b.Run(path.name, func(b *testing.B) {
			verifier, err := entra.Combine(other, readyVerifier(b, tenant, path.cacheSize))
			if err != nil {
				b.Fatal(err)
			}
			testbed.MustVerify(b, verifier, tokens[0])
			ctx, next := b.Context(), 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(ctx, tokens[next]); err != nil {
					b.Fatal(err)
				}
				next = (next + 1) % path.tokens
			}
		})
	}
}

func customers(b *testing.B) *entratest.Server {
	b.Helper()
	return entratest.New(b, entratest.Config{Authority: testbed.ExternalID})
}

// BenchmarkRefreshing verifies while key documents arrive all the time, each with a key that is new.
func BenchmarkRefreshing(b *testing.B) {
	for _, path := range []struct {
		name      string
		cacheSize int
	}{{"cold", -1}, {"warm", 0}} {
		b.Run(path.name, func(b *testing.B) {
			tenant := entratest.New(b)
			verifier := readyVerifier(b, tenant, path.cacheSize)
			token := mintToken(tenant)
			keepRefreshing(b, tenant, verifier, token)
			measureVerify(b, verifier, token)
		})
	}
}

// keepRefreshing makes verifier fetch its keys every few milliseconds until the benchmark ends: a token that names a
// key which was published just now needs a fetch, which brings the key, which permits the next fetch.
func keepRefreshing(b *testing.B, tenant *entratest.Server, verifier *entra.Verifier, token string) {
	ctx, done := b.Context(), make(chan struct{})
	_, rest, _ := strings.Cut(token, ".")
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			kid := fmt.Sprintf("refresh-%d", n)
			tenant.SetKeys(tenant.Key(), tenant.Key().With("kid", kid))
			header := fmt.Sprintf(`{"typ":"JWT","alg":"RS256","kid":%q}`, kid)
			_, _ = verifier.Verify(ctx, base64.RawURLEncoding.EncodeToString([]byte(header))+"."+rest)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	b.Cleanup(func() { <-done })
}

// reply is a ResponseWriter that keeps nothing, so that the middleware alone is measured.
type reply struct {
	header http.Header
	status int
}

func (r *reply) Header() http.Header         { return r.header }
func (r *reply) Write(p []byte) (int, error) { return len(p), nil }
func (r *reply) WriteHeader(status int)      { r.status = status }

// requestWith returns a request with these Authorization values.
func requestWith(authorization ...string) *http.Request {
	request := httptest.NewRequest(http.MethodGet, "https://api.example/orders", nil)
	request.Header["Authorization"] = authorization
	return request
}

// BenchmarkAuthenticate is the middleware around a handler that does nothing, for a remembered token.
func BenchmarkAuthenticate(b *testing.B) {
	tenant := entratest.New(b)
	handler := readyVerifier(b, tenant, 0).Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	request := requestWith("Bearer " + mintToken(tenant))
	b.Run("serial", func(b *testing.B) {
		measureServe(b, handler, request, 0)
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			writer := &reply{header: make(http.Header)}
			for pb.Next() {
				handler.ServeHTTP(writer, request)
			}
		})
	})
}

// measureServe serves request again and again; status is what the middleware must answer, 0 if it must not.
func measureServe(b *testing.B, handler http.Handler, request *http.Request, status int) {
	writer := &reply{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		writer.status = 0
		clear(writer.header)
		handler.ServeHTTP(writer, request)
	}
	if writer.status != status {
		b.Fatalf("got status %d, want %d", writer.status, status)
	}
}

// refusedRequest is a request with one fault, for which it is refused before any signature is checked.
type refusedRequest struct {
	name          string
	authorization []string
}

// refusedRequests returns one request for each such fault.
func refusedRequests(tenant *entratest.Server) []refusedRequest {
	token := mintToken(tenant)
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	bearer := func(parts ...string) []string { return []string{"Bearer " + strings.Join(parts, ".")} }
	minted := func(option entratest.TokenOption) []string { return bearer(mintToken(tenant, option)) }
	return []refusedRequest{
		{"no header", nil},
		{"another scheme", []string{"Basic YWxpY2U6c2VjcmV0"}},
		{"two headers", []string{"Bearer " + token, "Bearer " + token}},
		{"no b64token", []string{"Bearer " + token + "\x00"}},
		{"too large", bearer(header, payload+strings.Repeat("A", 20<<10), signature)},
		{"two segments", bearer(header, payload)},
		{"five segments", bearer(header, payload, signature, payload, signature)},
		{"header no base64url", bearer(header+"+", payload, signature)},
		{"header no JSON", bearer(header[4:], payload, signature)},
		{"payload no base64url", bearer(header, payload+"+", signature)},
		{"signature no base64url", bearer(header, payload, signature+"+")},
		{"wrong algorithm", minted(entratest.Header("alg", "RS384"))},
		{"HMAC", minted(entratest.Header("alg", "HS256"))},
		{"unsigned", bearer(mintToken(tenant, entratest.Header("alg", "none")) + signature)},
		{"critical extension", minted(entratest.Header("crit", []string{"exp"}))},
		{"Graph token", minted(entratest.Graph())},
		{"no kid", minted(entratest.WithoutHeader("kid"))},
		{"unknown key", minted(entratest.SignedBy(tenant.UnknownKey()))},
	}
}

// BenchmarkRefuse is the decision alone, for refusals where the token is at fault, by a Verifier that has accepted tokens
// with the same header.
func BenchmarkRefuse(b *testing.B) {
	tenant := entratest.New(b)
	verifier := readyVerifier(b, tenant, 0)
	testbed.MustVerify(b, verifier, mintToken(tenant))
	ctx := b.Context()
	for _, refused := range refusedRequests(tenant)[4:] {
		token := strings.TrimPrefix(refused.authorization[0], "Bearer ")
		b.Run(refused.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(ctx, token); err == nil {
					b.Fatal("got claims, want a refusal")
				}
			}
		})
	}
}

// BenchmarkRefuseRequest is the same with the whole answer: challenge, problem, count and log.
func BenchmarkRefuseRequest(b *testing.B) {
	tenant := entratest.New(b)
	verifier := readyVerifier(b, tenant, 0)
	testbed.MustVerify(b, verifier, mintToken(tenant))
	handler := verifier.Authenticate(http.NotFoundHandler())
	for _, refused := range refusedRequests(tenant) {
		request := requestWith(refused.authorization...)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		b.Run(refused.name, func(b *testing.B) { measureServe(b, handler, request, answer.Code) })
	}
}

// What Options.CacheSize says that remembered tokens occupy: usual ones, of 1.4 KB, and those with 200 groups. To sign more
// takes long: internal/benchmarks measures a hundred thousand.
func TestRememberedTokensOccupyLittle(t *testing.T) {
	tenant := entratest.New(t)
	usual, large := mintTokens(tenant, 4096), make([]string, 512)
	for i := range large {
		groups := make([]string, 200)
		for j := range groups {
			groups[j] = fmt.Sprintf("%08x-0000-4000-8000-%012x", i, j)
		}
		large[i] = tenant.Token(entratest.Groups(groups...))
	}
	for _, test := range []struct {
		name      string
		tokens    []string
		cacheSize int
		each      float64 // bytes, of those that are remembered
	}{
		{"as many as by default", usual, 4096, 1.8e3},
		{"a flood of four times as many as the memory holds", usual, 1024, 1.8e3},
		{"tokens with 200 groups", large, 512, 21e3},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := rememberedSize(t, tenant, test.cacheSize, test.tokens) / float64(test.cacheSize)
			t.Logf("%d tokens of %d bytes in a memory for %d: %.0f bytes each", len(test.tokens), len(test.tokens[0]), test.cacheSize, got)
			if got < 0.9*test.each || got > 1.1*test.each {
				t.Errorf("got %.0f bytes each, want %.0f, less or more a tenth: the comment of Options.CacheSize says so", got, test.each)
			}
		})
	}
}

// rememberedSize verifies the tokens and returns by how many bytes that made the heap grow.
func rememberedSize(t *testing.T, tenant *entratest.Server, cacheSize int, tokens []string) float64 {
	t.Helper()
	verifier := readyVerifier(t, tenant, cacheSize)
	before := liveHeap()
	for _, token := range tokens {
		// A copy, because each request brings its own: if a piece of it is kept alive, that counts.
		testbed.MustVerify(t, verifier, strings.Clone(token))
	}
	grown := liveHeap() - before
	if got := verifier.Stats().Verified; got != uint64(len(tokens)) {
		t.Errorf("got %d tokens verified, want %d", got, len(tokens))
	}
	return grown
}

// liveHeap returns the bytes of all objects in use.
func liveHeap() float64 {
	var stats runtime.MemStats
	// The second run frees what pools kept during the first.
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
