package entratest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/entra-go/entra/entratest/internal/directory"
	"github.com/entra-go/entra/entratest/internal/login"
)

// Transport returns the round tripper of Client. It calls the Server directly:
// no socket, no TLS, no goroutine that outlives the response's body. Requests for
// hosts that the Server does not stand in for get an error, and so do requests
// over plain http, but for the URL of a local issuer.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	host := strings.TrimSuffix(strings.ToLower(r.URL.Host), ":443")
	t.server.record(r, host)
	base := t.server.localBase()
	local := base != "" && base == r.URL.Scheme+"://"+host
	if err := t.server.unreachable(r.URL, host, local); err != nil {
		return nil, err
	}
	inner := serverRequest(r, host)
	if local {
		inner = inner.WithContext(login.WithBase(inner.Context(), base))
	}
	unpack := r.Header.Get("Accept-Encoding") == "" && r.Method != http.MethodHead
	if unpack { // As http.Transport does; a body may be small only while compressed.
		inner.Header.Set("Accept-Encoding", "gzip")
	}
	response, err := t.answer(inner)
	if err != nil {
		return nil, err
	}
	response.Request = r
	if r.Method == http.MethodHead {
		response.Body.Close()
		response.Body = http.NoBody
	}
	if unpack && response.Header.Get("Content-Encoding") == "gzip" {
		uncompress(response)
	}
	return response, nil
}

// unreachable explains why a request gets no answer. Local requests are for the
// URL that a local issuer begins with.
func (s *Server) unreachable(u *url.URL, host string, local bool) error {
	switch service := s.tenant.Service(host); {
	case local:
	case service == directory.NoService:
		return s.tenant.UnknownHost(host)
	case service == directory.Discovery && !login.IsInstance(u.Path):
		return fmt.Errorf("entratest: Config.Authority is %s, so %s answers instance discovery only", s.config.Authority, host)
	case u.Scheme != "https":
		return fmt.Errorf("entratest: %s://%s: Microsoft's hosts are reached over https only", u.Scheme, host)
	}
	switch {
	case s.isClosed():
		return errors.New("entratest: the Server is closed")
	case s.isDown():
		return errDown
	}
	return nil
}

// serverRequest is r as a server would see it.
func serverRequest(r *http.Request, host string) *http.Request {
	inner := r.Clone(r.Context())
	inner.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if inner.URL.Path == "" {
		inner.URL.Path = "/"
	}
	inner.RequestURI = inner.URL.RequestURI()
	inner.Host = host
	if inner.Header == nil {
		inner.Header = http.Header{}
	}
	if r.Body == nil {
		inner.Body = http.NoBody
	}
	return inner
}

// answer runs the Server's own handlers on the caller's goroutine, since they
// return by themselves, and a handler given to AnswerKeys beside it.
func (t transport) answer(r *http.Request) (*http.Response, error) {
	if h := t.server.fault(r.URL.Path); h != nil {
		return runBeside(h, r)
	}
	w := &answer{header: http.Header{}}
	t.server.login.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := bytes.NewReader(w.buffer.Bytes())
	return w.response(io.NopCloser(body), int64(body.Len())), nil
}

// runBeside runs h in a goroutine that ends with h, and returns when h has
// flushed or returned, or with the context's error when that ends.
func runBeside(h http.Handler, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	w := &answer{header: http.Header{}, pipe: writer, flushed: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { reader.CloseWithError(ctx.Err()) })
	aborted := make(chan struct{})
	go func() {
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				writer.CloseWithError(io.ErrUnexpectedEOF)
				close(aborted)
			} else if p != nil {
				panic(p)
			}
		}()
		h.ServeHTTP(w, r.WithContext(ctx))
		w.Flush()
		writer.CloseWithError(ctx.Err()) // The end of the body, unless the context ended h.
	}()
	select {
	case <-w.flushed:
		if err := r.Context().Err(); err != nil { // The handler gave up for the same reason.
			cancel()
			return nil, err
		}
		body := &streamed{Reader: reader, close: func() { stop(); cancel(); reader.Close() }}
		return w.response(body, -1), nil
	case <-aborted:
		cancel()
		return nil, errors.New("entratest: connection broken off by the handler")
	case <-ctx.Done():
		cancel()
		return nil, ctx.Err()
	}
}

type streamed struct {
	io.Reader
	close func()
}

func (b *streamed) Close() error {
	b.close()
	return nil
}

// answer is the http.ResponseWriter of requests in process. With a pipe, what is
// written after the first Flush goes straight to the reader of the body.
type answer struct {
	header  http.Header
	status  int
	sent    http.Header
	buffer  bytes.Buffer
	pipe    *io.PipeWriter
	flushed chan struct{}
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.pipe != nil {
		w.Flush()
		return w.pipe.Write(b)
	}
	return w.buffer.Write(b)
}

// Flush implements http.Flusher.
func (w *answer) Flush() {
	w.WriteHeader(http.StatusOK)
	if w.flushed == nil {
		return
	}
	select {
	case <-w.flushed:
	default:
		close(w.flushed)
	}
}

func (w *answer) response(body io.ReadCloser, length int64) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          body,
		ContentLength: length,
	}
}

func uncompress(response *http.Response) {
	packed := response.Body
	response.Body = &streamed{
		Reader: &lazyGzip{source: packed},
		close:  func() { packed.Close() },
	}
	response.Header.Del("Content-Encoding")
	response.Header.Del("Content-Length")
	response.ContentLength, response.Uncompressed = -1, true
}

// lazyGzip reads the gzip header with the first Read, so that a slow body does
// not hold the response up.
type lazyGzip struct {
	source io.Reader
	reader *gzip.Reader
}

func (z *lazyGzip) Read(p []byte) (int, error) {
	if z.reader == nil {
		reader, err := gzip.NewReader(z.source)
		if err != nil {
			return 0, err
		}
		z.reader = reader
	}
	return z.reader.Read(p)
}
