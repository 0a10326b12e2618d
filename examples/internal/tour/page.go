package tour

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/entra-go/entra"
	"github.com/entra-go/entra/entratest"
	"github.com/entra-go/entra/internal/advice"
)

//go:embed files
var files embed.FS

// page shows in a browser what show prints in the terminal, and lets the reader send tokens of any kind. It gives whoever
// opens it full power over the fake tenant and over nothing else.
type page struct {
	tenant  *entratest.Server
	api     *service
	trickle *trickle
	samples []sample
}

func newPage(tenant *entratest.Server, api *service) *page {
	return &page{tenant, api, newTrickle(tenant, api), samples(tenant)}
}

// handler serves the page at /, what belongs to it below /page/, and the API everywhere else.
func (p *page) handler() http.Handler {
	own := http.NewServeMux()
	own.HandleFunc("GET /{$}", file("index.html"))
	for _, name := range []string{"style.css", "app.js", "page.js", "token.js", "outage.js", "chart.js", "icon.svg"} {
		own.HandleFunc("GET /page/"+name, file(name))
	}
	own.HandleFunc("GET /page/samples", p.list)
	own.HandleFunc("GET /page/samples/{id}", p.mint)
	own.HandleFunc("GET /page/refusals/{id}", p.refusal)
	own.HandleFunc("GET /page/state", p.trickle.state)
	own.HandleFunc("POST /page/sign", p.sign)
	own.HandleFunc("POST /page/judge", judge)
	own.HandleFunc("POST /page/rotate", p.trickle.rotate)
	own.HandleFunc("POST /page/down", p.trickle.takeDown)
	own.HandleFunc("POST /page/restore", p.trickle.restore)
	own.HandleFunc("POST /page/restart", p.trickle.restart)
	guarded := withPageHeaders(http.NewCrossOriginProtection().Handler(own))

	all := http.NewServeMux()
	all.Handle("/{$}", guarded)
	all.Handle("/page/", guarded)
	all.Handle("/", p.api)
	return loopbackHost(all)
}

func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "files/"+name) }
}

type listedSample struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Name   string `json:"name"`
	About  string `json:"about"`
	Method string `json:"method"`
}

func (p *page) list(w http.ResponseWriter, _ *http.Request) {
	list := make([]listedSample, len(p.samples))
	for i, s := range p.samples {
		list[i] = listedSample{s.id, s.group, s.name, s.about, s.methodOrGet()}
	}
	reply(w, http.StatusOK, map[string]any{
		"samples": list, "steps": advice.Steps(), "claims": advice.PayloadClaims(), "headerMembers": advice.HeaderMembers(),
	})
}

func (s sample) methodOrGet() string {
	if s.method == "" {
		return http.MethodGet
	}
	return s.method
}

func (p *page) mint(w http.ResponseWriter, r *http.Request) {
	for _, s := range p.samples {
		if s.id == r.PathValue("id") {
			reply(w, http.StatusOK, map[string]string{"authorization": s.authorization()})
			return
		}
	}
	complain(w, http.StatusNotFound, errors.New("no such sample"))
}

// refusal answers with the error of the request with this ID, or with the claims that decided if it was accepted.
func (p *page) refusal(w http.ResponseWriter, r *http.Request) {
	refused := p.api.refusals.of(r.PathValue("id"))
	reply(w, http.StatusOK, explanationOf(refused.err, refused.claims))
}

// sign signs any header and payload, as only a fake tenant does.
func (p *page) sign(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Header, Payload string }
	if !decode(w, r, &asked) {
		return
	}
	token := p.tenant.Key().Sign([]byte(asked.Header), []byte(asked.Payload))
	reply(w, http.StatusOK, map[string]string{"token": token})
}

const longestBody = 256 << 10

// decode reads the JSON body of r, or answers the request and returns false.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		complain(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func complain(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]string{"error": err.Error()})
}

// explanation is what an operator knows of one decision. In production it stays on the server.
type explanation struct {
	Reason  entra.Reason `json:"reason"` // "" if the token was accepted
	Status  int          `json:"status"`
	Text    string       `json:"text"`
	Cure    string       `json:"cure"`
	Step    int          `json:"step"`    // of advice.Steps; their number if all were passed
	Decided []string     `json:"decided"` // claims and header members; one with ? only if it is there
}

// explanationOf explains an error, or nil for an accepted token; for claims see [advice.On].
func explanationOf(err error, claims *entra.Claims) explanation {
	on := advice.On(err, claims)
	e := explanation{Status: entra.StatusCode(err), Reason: entra.ReasonOf(err), Cure: on.Change, Step: int(on.Step), Decided: on.Look}
	if err != nil {
		e.Text = err.Error()
	}
	return e
}
