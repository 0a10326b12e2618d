package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/entra-go/entra/internal/benchmarks/paired"
)

// wrk loads with the program of that name, in one thread.
type wrk struct {
	program, address, token string
	connections             int
}

// What wrk -latency prints of interest.
var (
	wrkRate    = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkP50     = regexp.MustCompile(`\n\s+50%\s+([0-9.]+[a-z]+)`)
	wrkP99     = regexp.MustCompile(`\n\s+99%\s+([0-9.]+[a-z]+)`)
	wrkFailure = regexp.MustCompile(`(Non-2xx or 3xx responses|Socket errors): .*`)
)

func (w wrk) load(t target, d time.Duration) (measurement, error) {
	seconds := max(1, int(d/time.Second))
	out, err := exec.Command(w.program, "--latency", "-t1", "-c", strconv.Itoa(w.connections), "-d", strconv.Itoa(seconds),
		"-H", "Authorization: Bearer "+w.token, "http://"+w.address+t.path).Output()
	if err != nil {
		return measurement{}, err
	}
	if failure := wrkFailure.Find(out); failure != nil {
		return measurement{}, fmt.Errorf("wrk: %s", failure)
	}
	var m measurement
	rate, p50, p99 := wrkRate.FindSubmatch(out), wrkP50.FindSubmatch(out), wrkP99.FindSubmatch(out)
	if rate == nil || p50 == nil || p99 == nil {
		return measurement{}, fmt.Errorf("wrk printed no result: %s", out)
	}
	var errs [3]error
	m.perSecond, errs[0] = strconv.ParseFloat(string(rate[1]), 64)
	m.p50, errs[1] = time.ParseDuration(string(p50[1]))
	m.p99, errs[2] = time.ParseDuration(string(p99[1]))
	return m, errors.Join(errs[:]...)
}

// client loads from this process. It writes the same bytes again and again, and reads as many as the first answer had.
type client struct {
	address, token string
	connections    int
}

func (c client) load(t target, d time.Duration) (measurement, error) {
	request := []byte("GET " + t.path + " HTTP/1.1\r\nHost: " + c.address + "\r\nAuthorization: Bearer " + c.token + "\r\n\r\n")
	taken, errs := make([][]float64, c.connections), make([]error, c.connections)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range c.connections {
		wait.Go(func() { taken[i], errs[i] = c.connection(request, start.Add(d)) })
	}
	wait.Wait()
	elapsed := time.Since(start)
	var all []float64
	for _, one := range taken {
		all = append(all, one...)
	}
	if err := errors.Join(errs...); err != nil {
		return measurement{}, err
	}
	return measurement{
		perSecond: float64(len(all)) / elapsed.Seconds(),
		p50:       time.Duration(paired.Quantile(all, 0.5)),
		p99:       time.Duration(paired.Quantile(all, 0.99)),
	}, nil
}

// connection sends request until the end and returns how long each answer took.
func (c client) connection(request []byte, end time.Time) ([]float64, error) {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reader := &counting{Reader: conn}
	length, err := firstAnswer(conn, reader, request)
	if err != nil {
		return nil, err
	}
	var taken []float64
	answer := make([]byte, length)
	for began := time.Now(); len(taken) == 0 || began.Before(end); {
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return nil, err
		}
		now := time.Now()
		taken = append(taken, float64(now.Sub(began)))
		began = now
	}
	return taken, nil
}

// firstAnswer returns how long an answer is: they all have the same length.
func firstAnswer(conn net.Conn, reader *counting, request []byte) (int, error) {
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(reader), nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("got status %d, want 200", answer.StatusCode)
	}
	return reader.n, nil
}

// counting counts what is read.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}
