package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/entra-go/entra/internal/tests/programs"
)

// The test binary is the program itself when it is started with this variable.
const asProgram = "QUICKSTART_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

func TestTheShowEndsAfterOnce(t *testing.T) {
	out, err := program(t, "-once").Output()
	if err != nil {
		t.Fatalf("got %v with output\n%s", err, out)
	}
	text := string(out)
	for _, want := range []string{"200  1001: two chairs", "application token", "Orders.Read.All", `error="insufficient_scope"`} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in the output", want)
		}
	}
}

func TestTwoShowsAtATimeTakeDifferentPorts(t *testing.T) {
	first := start(t)
	second := start(t)
	if first.apiURL == second.apiURL {
		t.Errorf("got %s twice, want two ports", first.apiURL)
	}
	for _, s := range []*serving{first, second} {
		if status := send(t, s.apiURL+"/orders", ""); status != http.StatusUnauthorized {
			t.Errorf("got status %d, want 401", status)
		}
	}
}

func TestItServesUntilInterrupted(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		s := start(t)
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(s.out)
		if err != nil || !strings.Contains(string(rest), "Interrupted") {
			t.Errorf("%v: got %q, %v; want a word about the interrupt", sig, rest, err)
		}
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("%v: got %v, want exit status 0", sig, err)
		}
	}
}

func TestThePrintedTokensWork(t *testing.T) {
	s := start(t)
	lines := regexp.MustCompile(`curl -i (\S+) -H 'Authorization: (Bearer [^']+)'`).FindAllStringSubmatch(s.show, -1)
	if len(lines) != 2 {
		t.Fatalf("got %d curl lines with tokens, want 2", len(lines))
	}
	for _, line := range lines {
		if status := send(t, line[1], line[2]); status != http.StatusOK {
			t.Errorf("got status %d, want 200", status)
		}
	}
}

func TestThePrintedCommandsGetATokenAndUseIt(t *testing.T) {
	programs.Look(t, "curl", "curl")
	s := start(t)
	_, commands, found := strings.Cut(s.show, "with a token of its own:\n")
	if !found {
		t.Fatal("got no commands")
	}
	commands, _, _ = strings.Cut(commands, "\nServing")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", commands).Output()
	if err != nil || !bytes.HasPrefix(out, []byte("HTTP/1.1 200 OK")) {
		t.Errorf("got %v and %q, want 200 OK", err, out)
	}
}

func TestRefusalsAreLoggedWhileServing(t *testing.T) {
	s := start(t)
	send(t, s.apiURL+"/orders", "Bearer nonsense")
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("got no log line but %v", err)
		}
		if strings.Contains(line, "reason=malformed") {
			return
		}
	}
}

// serving is a program that has shown everything and serves.
type serving struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	show   string
	apiURL string
}

func start(t *testing.T) *serving {
	t.Helper()
	s := &serving{cmd: program(t)}
	pipe, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait() // killed: it has nothing to say
		}
	})
	s.out = bufio.NewReader(pipe)
	for !strings.Contains(s.show, "Serving until") {
		line, err := s.out.ReadString('\n')
		if errors.Is(err, io.EOF) {
			t.Fatalf("got an end after\n%s", s.show)
		}
		s.show += line
	}
	s.apiURL = regexp.MustCompile(`(?m)^  API +(http\S+)`).FindStringSubmatch(s.show)[1]
	return s
}

func send(t *testing.T, url, authorization string) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
