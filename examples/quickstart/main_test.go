package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/entra-go/entra/entratest"
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
	tenant, err := entratest.NewServer(entratest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	for _, a := range samples(tenant) {
		if a.reason != "" && (!strings.Contains(text, a.name) || !strings.Contains(text, string(a.reason))) {
			t.Errorf("got no line about %q, reason %s", a.name, a.reason)
		}
	}
	for _, want := range []string{"200  1001: two chairs", "application token", "Orders.Read.All", `error="insufficient_scope"`} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in the output", want)
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		isToken := strings.Contains(line, "Bearer eyJ")
		if n := utf8.RuneCountInString(line); n > columns && !isToken || strings.TrimRight(line, " ") != line {
			t.Errorf("got a line of %d columns, want %d at most and no spaces at the end: %q", n, columns, line)
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
		if status, _, err := send(t.Context(), http.MethodGet, s.apiURL+"/orders", ""); err != nil || status != 401 {
			t.Errorf("got status %d and %v, want 401", status, err)
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
		status, _, err := send(t.Context(), http.MethodGet, line[1], line[2])
		if err != nil || status != http.StatusOK {
			t.Errorf("got status %d and %v, want 200", status, err)
		}
	}
}

func TestThePrintedCommandsGetATokenAndUseIt(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
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
	if _, _, err := send(t.Context(), http.MethodGet, s.apiURL+"/orders", "Bearer nonsense"); err != nil {
		t.Fatal(err)
	}
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

func TestAPortThatWasAskedForAndIsTakenIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct{ flag, addr, want string }{
		{"-addr", taken.Addr().String(), "another program has this port"},
		{"-entra", taken.Addr().String(), "another program has this port"},
		{"-addr", "0.0.0.0:0", "not a loopback address"},
		{"-entra", "0.0.0.0:0", "not loopback"},
		{"-addr", "8080", "missing port"},
		{"-entra", "8080", "missing port"},
	} {
		err := run(t.Context(), []string{"-once", test.flag, test.addr}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.flag) {
			t.Errorf("%s %s: got %v, want %s and %q", test.flag, test.addr, err, test.flag, test.want)
		}
	}
}

func TestAnInterruptDuringTheShowEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, nil, io.Discard); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestAnArgumentThatIsNoFlagIsAnError(t *testing.T) {
	if err := run(t.Context(), []string{"once"}, io.Discard); err == nil {
		t.Error("got nil, want an error")
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
